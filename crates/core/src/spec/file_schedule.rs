//! The schedules of a sweep file as written: every preset and every class of a library with its arguments, for the JSON
//! schema, so that an editor completes them. Keys that are no arguments are parameters of the worker program.

use pleach_schedule::preset::{self, ArgumentInfo, Expected, PresetInfo};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use super::schedule::NAMING;

/// A schedule's name alone, or a table: which one, and what it takes.
pub(super) struct ScheduleTable;

/// A table that says which schedule it is.
struct NamedTable;

/// A choice of schedules: a name, a list of names, or a table for each.
pub(super) struct Branches;

impl Serialize for ScheduleTable {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("cosine")
    }
}

impl Serialize for Branches {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("cosine")
    }
}

impl JsonSchema for ScheduleTable {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Schedule".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [names(), generator.subschema_for::<NamedTable>()] })
    }
}

impl JsonSchema for NamedTable {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ScheduleTable".into()
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // One for each schedule, told from the others by the key that names it.
        let table = |info: &PresetInfo| {
            let naming = NAMING.into_iter().find(|key| *key == info.name);
            table(info, Some(naming.unwrap_or("use")))
        };
        let mut tables: Vec<Value> = preset::names().filter_map(preset::find).map(table).collect();
        // A library's longer name for one: `torch.optim.lr_scheduler.StepLR`.
        tables.push(json!({
            "type": "object",
            "properties": { "use": { "type": "string" } },
            "required": ["use"],
        }));
        json_schema!({ "anyOf": tables })
    }
}

impl JsonSchema for Branches {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Schedules".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        // A branch that says neither `use`, `phases` nor `table` is named after its schedule.
        let ours: Map<String, Value> = preset::PRESETS
            .iter()
            .filter(|info| !NAMING.contains(&info.name))
            .map(|info| (info.name.to_owned(), table(info, None)))
            .collect();
        json_schema!({ "anyOf": [
            names(),
            { "type": "array", "items": names() },
            {
                "type": "object",
                "properties": ours,
                "additionalProperties": {
                    "anyOf": [generator.subschema_for::<NamedTable>(), { "type": "object" }],
                },
            },
        ]})
    }
}

fn names() -> Value {
    json!({ "anyOf": [{ "enum": preset::names().collect::<Vec<_>>() }, { "type": "string" }] })
}

fn table(info: &PresetInfo, naming: Option<&str>) -> Value {
    let mut properties = Map::new();
    if naming == Some("use") {
        properties.insert("use".to_owned(), json!({ "const": info.name }));
    }
    if info.rate() == "peak" {
        properties.insert("peak".to_owned(), json!({ "description": "the highest rate" }));
    }
    let arguments = info.all_arguments().map(|one| (one.name.to_owned(), argument(one)));
    properties.extend(arguments);
    json!({
        "type": "object",
        "description": info.doc,
        "properties": properties,
        "required": naming.into_iter().collect::<Vec<_>>(),
    })
}

/// What a person may give for it: a value, or an axis of values.
fn argument(info: &ArgumentInfo) -> Value {
    let description = match info.default {
        "" => info.doc.to_owned(),
        default => format!("{}; {default} by default", info.doc),
    };
    match info.expected {
        Expected::Word(words) => json!({
            "description": description,
            "anyOf": [{ "enum": words }, { "type": "array", "items": { "enum": words } }],
        }),
        Expected::Bool => json!({
            "description": description,
            "anyOf": [{ "type": "boolean" }, { "type": "array", "items": { "type": "boolean" } }],
        }),
        _ => json!({ "description": description }),
    }
}
