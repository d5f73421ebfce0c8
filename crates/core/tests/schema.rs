//! The JSON schema beside the shipped sweeps is that of the program.

use pleach_core::spec::schema;

#[test]
fn the_schema_in_the_repository_is_the_programs() {
    let kept = include_str!("../../../sweeps/sweep.schema.json");
    assert_eq!(
        kept,
        schema(),
        "renew it: cargo run -p pleach -- schema > sweeps/sweep.schema.json"
    );
}
