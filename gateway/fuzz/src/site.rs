//! A site with devices of all ready-made models.

use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{Action, Body, Device, Message, Model, Things, ready_made};
use std::sync::Arc;

/// Its things.
pub fn things() -> Arc<Things> {
    let mut things = Things::default();
    for model in ready_made() {
        let id = format!("{}-1", model.name).into();
        let model = things.add_model(Arc::new(model));
        things.add_device(Device { id, model, labels: Default::default() }).expect("a new id");
    }
    Arc::new(things)
}

/// The message with numbers that the site has, as everything that makes messages sees to; `None` if there are none.
pub fn with_known_numbers(mut message: Message, things: &Things) -> Option<Message> {
    match &mut message.body {
        Body::Report(report) => {
            let properties = known(&mut report.device, things).properties.len();
            report.values.iter_mut().try_for_each(|value| fit(&mut value.property.0, properties))?;
        }
        Body::Event(event) => fit(&mut event.event.0, known(&mut event.device, things).events.len())?,
        Body::Status(status) => drop(known(&mut status.device, things)),
        Body::Command(record) => {
            let model = known(&mut record.command.device, things);
            match &mut record.command.action {
                Action::Set { property, .. } => fit(&mut property.0, model.properties.len())?,
                Action::Invoke { service, .. } => fit(&mut service.0, model.services.len())?,
            }
        }
        Body::Row(_) | Body::Firing(_) | Body::Notice(_) | Body::Ledger(_) | Body::Balance(_) => {}
    }
    Some(message)
}

fn known(device: &mut DeviceIx, things: &Things) -> Arc<Model> {
    device.0 %= things.devices().len() as u32;
    things.model_of(*device).clone()
}

fn fit(number: &mut u16, count: usize) -> Option<()> {
    *number = number.checked_rem(u16::try_from(count).ok()?)?;
    Some(())
}
