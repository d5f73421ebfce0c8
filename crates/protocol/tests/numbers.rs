//! Numbers survive the wire bit for bit, in canonical form.

use pleach_protocol::{
    line,
    message::{FromWorker, Metrics},
    number::Number,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_metric_arrives_as_it_left(bits in any::<u64>()) {
        let value = Number::new(f64::from_bits(bits));
        let message = FromWorker::Metrics(Metrics { attempt: 1, step: 2, values: [("x".to_owned(), value)].into() });
        let mut text = Vec::new();
        line::write(&message, &mut text);
        prop_assert_eq!(line::read::<FromWorker>(&text).unwrap(), message);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _read = line::read::<FromWorker>(&bytes);
    }
}

#[test]
fn there_is_one_nan_and_one_zero() {
    for (value, bits) in
        [(-0.0, 0), (-f64::NAN, f64::NAN.to_bits()), (f64::INFINITY, 0x7ff0_0000_0000_0000)]
    {
        assert_eq!(Number::new(value).get().to_bits(), bits);
    }
}
