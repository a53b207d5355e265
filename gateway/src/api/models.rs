//! Thing models, as the gateway reads them.

use super::devices::access;
use super::problem::{PROBLEM_JSON, Problem};
use crate::app::State;
use axum::Json;
use axum::extract::{Path, State as Shared};
use edgeway_thing_models::{CallType, DataType, EventKind, EventModel, Field, Model, Property, Service};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::ToSchema;

/// All models, shortly.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelList {
    /// The models of the site.
    pub(crate) models: Vec<ModelSummary>,
}

/// A model, shortly.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelSummary {
    /// Its name.
    #[schema(example = "wind-turbine")]
    pub(crate) name: String,
    /// What to show people.
    pub(crate) title: String,
    /// How many properties it has.
    pub(crate) properties: usize,
    /// How many events.
    pub(crate) events: usize,
    /// How many services.
    pub(crate) services: usize,
    /// How many devices of the site have it.
    pub(crate) devices: usize,
}

/// A model.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ModelView {
    /// Its name.
    pub(crate) name: String,
    /// What to show people.
    pub(crate) title: String,
    /// What can be read and set.
    pub(crate) properties: Vec<PropertyModelView>,
    /// What its devices report when something happens.
    pub(crate) events: Vec<EventView>,
    /// What its devices can be asked to do.
    pub(crate) services: Vec<ServiceView>,
}

/// A property of a model.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct PropertyModelView {
    /// Its identifier.
    #[schema(example = "wind_speed")]
    pub(crate) identifier: String,
    /// What to show people.
    pub(crate) title: String,
    /// `r`, `rw` or `w`.
    #[schema(example = "r")]
    pub(crate) access: String,
    /// Whether every device of the model has it.
    pub(crate) required: bool,
    /// Its type.
    #[serde(rename = "type")]
    pub(crate) data_type: TypeView,
    /// In words.
    pub(crate) description: String,
}

/// An event.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct EventView {
    /// Its identifier.
    #[schema(example = "alarm")]
    pub(crate) identifier: String,
    /// What to show people.
    pub(crate) title: String,
    /// `info`, `alert` or `error`.
    #[schema(example = "alert")]
    pub(crate) kind: String,
    /// What it carries.
    pub(crate) output: Vec<FieldView>,
}

/// A service.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct ServiceView {
    /// Its identifier.
    #[schema(example = "stop")]
    pub(crate) identifier: String,
    /// What to show people.
    pub(crate) title: String,
    /// `sync`: a call waits for the result; `async`: it does not.
    #[schema(example = "sync")]
    pub(crate) call: String,
    /// What it needs.
    pub(crate) input: Vec<FieldView>,
    /// What it answers.
    pub(crate) output: Vec<FieldView>,
}

/// A named part of a struct, an event or a service.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct FieldView {
    /// Its identifier.
    pub(crate) identifier: String,
    /// What to show people.
    pub(crate) title: String,
    /// Its type.
    #[serde(rename = "type")]
    pub(crate) data_type: TypeView,
}

/// A type with its specs; only those that belong to the type are there.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub(crate) struct TypeView {
    /// `int`, `float`, `double`, `bool`, `enum`, `text`, `date` (milliseconds since 1970), `struct` or `array`.
    #[schema(example = "float")]
    pub(crate) name: String,
    /// The smallest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) min: Option<f64>,
    /// The largest value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<f64>,
    /// The resolution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) step: Option<f64>,
    /// The unit's symbol.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) unit: Option<String>,
    /// The words of an enum's numbers; of a boolean's 0 and 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    #[schema(value_type = BTreeMap<String, String>)]
    pub(crate) labels: BTreeMap<i64, String>,
    /// The most bytes of a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) length: Option<usize>,
    /// The most elements of an array.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) size: Option<usize>,
    /// What each element of an array is.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(no_recursion)]
    pub(crate) item: Option<Box<TypeView>>,
    /// The parts of a struct.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(no_recursion)]
    pub(crate) fields: Vec<FieldView>,
}

/// Lists the models.
#[utoipa::path(
    get,
    path = "/models",
    operation_id = "list_models",
    tag = "models",
    responses(
        (status = 200, description = "The models of the site.", body = ModelList),
    ),
)]
pub(super) async fn list(Shared(gateway): Shared<Arc<State>>) -> Json<ModelList> {
    let things = &gateway.things;
    let summary = |model: &Arc<Model>| ModelSummary {
        name: model.name.to_string(),
        title: model.title.clone(),
        properties: model.properties.len(),
        events: model.events.len(),
        services: model.services.len(),
        devices: things.current_devices().filter(|(device, _)| things.model_of(*device).name == model.name).count(),
    };
    Json(ModelList { models: things.current_models().map(|(_, model)| summary(model)).collect() })
}

/// Shows a model.
#[utoipa::path(
    get,
    path = "/models/{name}",
    operation_id = "show_model",
    tag = "models",
    params(
        ("name" = String, Path, description = "The model."),
    ),
    responses(
        (status = 200, description = "The model.", body = ModelView),
        (status = 404, description = "There is no such model.", body = Problem, content_type = PROBLEM_JSON),
    ),
)]
pub(super) async fn show(
    Shared(gateway): Shared<Arc<State>>,
    Path(name): Path<String>,
) -> Result<Json<ModelView>, Problem> {
    let things = &gateway.things;
    let known = || things.current_models().map(|(_, model)| &*model.name);
    let ix = things.model_ix(&name).ok_or_else(|| Problem::unknown("model", &name, known()))?;
    Ok(Json(ModelView::of(things.model(ix))))
}

impl ModelView {
    fn of(model: &Model) -> Self {
        ModelView {
            name: model.name.to_string(),
            title: model.title.clone(),
            properties: model.properties.iter().map(PropertyModelView::of).collect(),
            events: model.events.iter().map(EventView::of).collect(),
            services: model.services.iter().map(ServiceView::of).collect(),
        }
    }
}

impl PropertyModelView {
    fn of(property: &Property) -> Self {
        PropertyModelView {
            identifier: property.identifier.to_string(),
            title: property.name.clone(),
            access: access(property.access).to_owned(),
            required: property.required,
            data_type: TypeView::of(&property.data_type),
            description: property.description.clone(),
        }
    }
}

impl EventView {
    pub(super) fn of(event: &EventModel) -> Self {
        let kind = match event.kind {
            EventKind::Info => "info",
            EventKind::Alert => "alert",
            EventKind::Error => "error",
        };
        let output = event.output.iter().map(FieldView::of).collect();
        EventView { identifier: event.identifier.to_string(), title: event.name.clone(), kind: kind.to_owned(), output }
    }
}

impl ServiceView {
    pub(super) fn of(service: &Service) -> Self {
        let call = match service.call_type {
            CallType::Sync => "sync",
            CallType::Async => "async",
        };
        ServiceView {
            identifier: service.identifier.to_string(),
            title: service.name.clone(),
            call: call.to_owned(),
            input: service.input.iter().map(FieldView::of).collect(),
            output: service.output.iter().map(FieldView::of).collect(),
        }
    }
}

impl FieldView {
    fn of(field: &Field) -> Self {
        let (identifier, title) = (field.identifier.to_string(), field.name.clone());
        FieldView { identifier, title, data_type: TypeView::of(&field.data_type) }
    }
}

impl TypeView {
    fn of(data_type: &DataType) -> Self {
        let mut view = TypeView { name: data_type.name().to_owned(), ..TypeView::default() };
        match data_type {
            DataType::Int(range) | DataType::Float(range) | DataType::Double(range) => {
                (view.min, view.max, view.step) = (range.min, range.max, range.step);
                view.unit = range.unit.as_ref().map(|unit| unit.to_string());
            }
            DataType::Bool { off, on } => view.labels = [(0, off.clone()), (1, on.clone())].into(),
            DataType::Enum(labels) => view.labels = labels.clone(),
            DataType::Text { length } => view.length = Some(*length),
            DataType::Date => {}
            DataType::Struct(fields) => view.fields = fields.iter().map(FieldView::of).collect(),
            DataType::Array { size, item } => {
                (view.size, view.item) = (Some(*size), Some(Box::new(TypeView::of(item))));
            }
        }
        view
    }
}
