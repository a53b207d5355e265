//! Kinds of messages as tables: what devices' states, scenes, commands, notices and losses are for queries.

use super::columns::{self, Column, device};
use super::gather::Gather;
use super::shape::{RowTypes, Shape};
use crate::df::{Field, RecordBatch, Schema, SchemaRef};
use edgeway_sdk::DeviceIx;
use edgeway_thing_models::{Body, Message, Things};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A kind whose messages are rows of one table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Status,
    Scene,
    Command,
    Notify,
    Ledger,
}

impl Kind {
    pub(crate) const ALL: [Kind; 5] = [Kind::Status, Kind::Scene, Kind::Command, Kind::Notify, Kind::Ledger];

    /// Of a message, if it is of one.
    pub(crate) fn of(message: &Message) -> Option<Kind> {
        match &message.body {
            Body::Status(_) => Some(Kind::Status),
            Body::Firing(_) => Some(Kind::Scene),
            Body::Command(_) => Some(Kind::Command),
            Body::Notice(_) => Some(Kind::Notify),
            Body::Ledger(_) => Some(Kind::Ledger),
            Body::Report(_) | Body::Event(_) | Body::Row(_) | Body::Balance(_) => None,
        }
    }

    /// The table's name.
    pub(crate) fn name(self) -> &'static str {
        self.shape().kind()
    }

    /// The table's columns: the device and the time, then those of the kind.
    pub(crate) fn fields(self, things: &Things) -> Vec<Field> {
        let common = ["device", "ts", "model", "time"].into_iter().filter_map(columns::common);
        let all = common.chain(columns::own(&self.shape(), things));
        all.map(|column| Field::new(&*column.name, column.data_type, true)).collect()
    }

    fn shape(self) -> Shape {
        match self {
            Kind::Status => Shape::Status,
            Kind::Scene => Shape::Firing,
            Kind::Command => Shape::Command,
            Kind::Notify => Shape::Notice,
            Kind::Ledger => Shape::Ledger,
        }
    }
}

/// Collects the rows of a kind, with only those columns that are read.
pub(crate) struct KindRows {
    gather: Gather,
}

impl KindRows {
    /// For these columns of the table.
    pub(crate) fn new(kind: Kind, schema: &Schema, read: &BTreeSet<usize>, things: &Things) -> KindRows {
        let fields: Vec<_> = read.iter().map(|at| schema.fields()[*at].clone()).collect();
        let names: BTreeSet<String> = fields.iter().map(|field| field.name().clone()).collect();
        let mut found: Vec<Column> = kind.shape().columns(&names, &RowTypes::default(), things);
        let place = |column: &Column| fields.iter().position(|field| **field.name() == *column.name);
        found.sort_by_key(place);
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        KindRows { gather: Gather::new(found, schema) }
    }

    pub(crate) fn add(&mut self, message: &Message, things: &Things) {
        self.gather.add(0, message, things);
    }

    /// What has been collected. Afterwards nothing is.
    pub(crate) fn take(&mut self) -> RecordBatch {
        self.gather.take().0
    }
}

/// The device that a message is about.
pub(crate) fn device_of(message: &Message) -> Option<DeviceIx> {
    device(message)
}
