//! The columns and rows of each kind.

use crate::Item;
use crate::flat::{Doing, accounts, device_and_model, event_model, output, result};
use crate::value_text::{json_of, plain};
use ::csv::{Error, Writer};
use edgeway_sdk::{DeviceIx, Timestamp};
use edgeway_thing_models::{
    Balance, Body, CommandRecord, Event, Ledger, Observation, Report, Rfc3339, Row, Selected, Status, Things,
};

const REPORT: &str = "id,time,device,model,property,value,unit,quality,source_time,clock";
const EVENT: &str = "id,time,device,model,event,kind,output,source_time,clock";
const STATUS: &str = "id,time,device,model,state,reason,clock";
const ROW: &str = "id,time,query,row_id,source_time,clock";
const FIRING: &str = "id,time,scene,cause,chain,clock";
const COMMAND: &str = "id,time,device,model,command,state,reason,result,action,name,input,origin,issued,deadline,clock";
const NOTICE: &str = "id,time,channel,text,scene,clock";
const LEDGER: &str = "id,time,consumer,reason,from,to,count,clock";
const BALANCE: &str = "id,time,route,taken,delivered,queued,expired,dropped,dead,devices,clock";
const SELECTED: &str = "id,time,subject,clock";

/// Rows as they are written. The first mistake of the writer is kept until the end; writing to memory makes none.
pub(super) struct Rows<'a> {
    things: &'a Things,
    writer: Writer<Vec<u8>>,
    outcome: Result<(), Error>,
}

impl<'a> Rows<'a> {
    pub(super) fn new(things: &'a Things) -> Self {
        Rows { things, writer: Writer::from_writer(vec![]), outcome: Ok(()) }
    }

    pub(super) fn finish(self) -> Result<Vec<u8>, Error> {
        self.outcome?;
        self.writer.into_inner().map_err(|error| error.into_error().into())
    }

    /// The header of the payload that this message begins.
    pub(super) fn header(&mut self, item: &Item) {
        if let Some(selected) = &item.selected {
            return self.put(SELECTED.split(',').chain(selected.columns.iter().map(|column| &**column)));
        }
        match &item.message.body {
            Body::Report(_) => self.put(REPORT.split(',')),
            Body::Event(_) => self.put(EVENT.split(',')),
            Body::Status(_) => self.put(STATUS.split(',')),
            Body::Row(row) => self.put(ROW.split(',').chain(row.columns.iter().map(|column| &**column))),
            Body::Firing(_) => self.put(FIRING.split(',')),
            Body::Command(_) => self.put(COMMAND.split(',')),
            Body::Notice(_) => self.put(NOTICE.split(',')),
            Body::Ledger(_) => self.put(LEDGER.split(',')),
            Body::Balance(_) => self.put(BALANCE.split(',')),
        }
    }

    /// The rows of a message.
    pub(super) fn message(&mut self, item: &Item) {
        let head = Head { id: item.id.to_string(), time: text(item.message.time), clock: item.clock.as_str() };
        if let Some(selected) = &item.selected {
            return self.selected(&head, &item.message.subject(self.things), selected);
        }
        match &item.message.body {
            Body::Report(report) => self.report(&head, report),
            Body::Event(event) => self.event(&head, event),
            Body::Status(status) => self.status(&head, status),
            Body::Row(row) => self.query(&head, row),
            Body::Firing(firing) => self.row(&head, &[&firing.scene, &firing.cause, &json_of(&firing.chain)]),
            Body::Command(record) => self.command(&head, record),
            Body::Notice(notice) => self.row(&head, &[&notice.channel, &notice.text, &notice.scene]),
            Body::Ledger(ledger) => self.ledger(&head, ledger),
            Body::Balance(balance) => self.balance(&head, balance),
        }
    }

    fn report(&mut self, head: &Head, report: &Report) {
        report.values.iter().for_each(|observation| self.observation(head, report.device, observation));
    }

    fn observation(&mut self, head: &Head, device: DeviceIx, observation: &Observation) {
        let property = self.things.property(device, observation.property);
        let value = plain(&observation.value, Some(&property.data_type));
        let unit = property.data_type.unit().map_or("", |unit| unit);
        let (quality, time) = (observation.quality.as_str(), text(observation.source_time));
        let (device, model) = device_and_model(device, self.things);
        self.row(head, &[device, model, &property.identifier, &value, unit, quality, &time]);
    }

    fn event(&mut self, head: &Head, event: &Event) {
        let (device, name) = device_and_model(event.device, self.things);
        let model = event_model(event, self.things);
        let (output, time) = (output(event, self.things), text(event.source_time));
        self.row(head, &[device, name, &model.identifier, model.kind.as_str(), &output, &time]);
    }

    fn status(&mut self, head: &Head, status: &Status) {
        let (device, model) = device_and_model(status.device, self.things);
        self.row(head, &[device, model, status.online.as_str(), &status.reason]);
    }

    fn query(&mut self, head: &Head, row: &Row) {
        let source_time = text(row.source_time);
        let values = row.values.iter().map(|value| plain(value, None));
        let cells = [head.id.clone(), head.time.clone(), row.query.to_string(), row.id.to_string(), source_time];
        self.put(cells.into_iter().chain([head.clock.to_owned()]).chain(values));
    }

    fn selected(&mut self, head: &Head, subject: &str, selected: &Selected) {
        let values = selected.values.iter().map(|value| plain(value, None));
        let cells = [&head.id, &head.time, subject, head.clock].map(str::to_owned);
        self.put(cells.into_iter().chain(values));
    }

    fn command(&mut self, head: &Head, record: &CommandRecord) {
        let command = &record.command;
        let (device, model) = device_and_model(command.device, self.things);
        let Doing { action, name, input } = Doing::of(record, self.things);
        let (state, reason) = (record.state.as_str(), record.state.reason().unwrap_or_default());
        let result = result(record, self.things).unwrap_or_default();
        let (origin, issued, deadline) = (command.origin.to_string(), text(command.issued), text(command.deadline));
        let what = [device, model, &command.id, state, reason, &result];
        let how = [action, name, &input, &origin, &issued, &deadline];
        self.row(head, &[what, how].concat());
    }

    fn ledger(&mut self, head: &Head, ledger: &Ledger) {
        let [from, to, count] = [ledger.from, ledger.to, ledger.count].map(|number| number.to_string());
        self.row(head, &[&ledger.consumer, &ledger.reason, &from, &to, &count]);
    }

    fn balance(&mut self, head: &Head, balance: &Balance) {
        let total = &balance.total;
        let counts = [total.taken, total.delivered, total.queued(), total.expired, total.dropped, total.dead];
        let [taken, delivered, queued, expired, dropped, dead] = counts.map(|count| count.to_string());
        let devices = accounts(balance);
        self.row(head, &[&balance.route, &taken, &delivered, &queued, &expired, &dropped, &dead, &devices]);
    }

    /// A row that begins with the id and the time and ends with the clock.
    fn row(&mut self, head: &Head, cells: &[&str]) {
        let before = [head.id.as_str(), head.time.as_str()];
        self.put(before.into_iter().chain(cells.iter().copied()).chain([head.clock]));
    }

    fn put<T: AsRef<[u8]>>(&mut self, cells: impl IntoIterator<Item = T>) {
        if self.outcome.is_ok() {
            self.outcome = self.writer.write_record(cells);
        }
    }
}

/// What all rows of a message share.
struct Head {
    id: String,
    time: String,
    clock: &'static str,
}

fn text(time: Timestamp) -> String {
    Rfc3339::new(time).to_string()
}
