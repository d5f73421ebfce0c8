//! As much of Protocol Buffers' encoding as event files need (<https://protobuf.dev/programming-guides/encoding/>), and the
//! records around them.

/// The fields of one message, in the order in which they are given.
#[derive(Clone, Debug, Default)]
pub(super) struct Message(Vec<u8>);

/// How the value of a field is told from the next one.
#[derive(Clone, Copy)]
enum Wire {
    Varint = 0,
    Eight = 1,
    Length = 2,
    Four = 5,
}

impl Message {
    pub(super) fn whole(mut self, field: u8, value: u64) -> Self {
        self.begin(field, Wire::Varint);
        self.varint(value);
        self
    }

    pub(super) fn double(mut self, field: u8, value: f64) -> Self {
        self.begin(field, Wire::Eight);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn float(mut self, field: u8, value: f32) -> Self {
        self.begin(field, Wire::Four);
        self.0.extend(value.to_le_bytes());
        self
    }

    pub(super) fn text(self, field: u8, text: &str) -> Self {
        self.bytes(field, text.as_bytes())
    }

    pub(super) fn message(self, field: u8, message: &Self) -> Self {
        self.bytes(field, &message.0)
    }

    fn bytes(mut self, field: u8, bytes: &[u8]) -> Self {
        self.begin(field, Wire::Length);
        self.varint(bytes.len() as u64);
        self.0.extend(bytes);
        self
    }

    fn begin(&mut self, field: u8, wire: Wire) {
        self.varint(u64::from(field) << 3 | wire as u64);
    }

    fn varint(&mut self, mut value: u64) {
        while 0x7f < value {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    /// As a record of a file: its length and its content, each with a checksum.
    pub(super) fn record(&self, file: &mut Vec<u8>) {
        let length = (self.0.len() as u64).to_le_bytes();
        file.extend(length);
        file.extend(masked(&length));
        file.extend(&self.0);
        file.extend(masked(&self.0));
    }
}

/// A checksum of what may hold checksums itself.
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_bytes_that_the_encoding_says() {
        // The examples of the encoding's own page, and a number of each other kind.
        assert_eq!(Message::default().whole(1, 150).0, [0x08, 0x96, 0x01]);
        assert_eq!(Message::default().text(2, "testing").0, *b"\x12\x07testing");
        let inner = Message::default().whole(1, 150);
        assert_eq!(Message::default().message(3, &inner).0, [0x1a, 0x03, 0x08, 0x96, 0x01]);
        assert_eq!(Message::default().double(1, 1.0).0, [9, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f]);
        assert_eq!(Message::default().float(2, 1.0).0, [0x15, 0, 0, 0x80, 0x3f]);
        assert_eq!(Message::default().whole(16, u64::MAX).0.len(), 2 + 10);
    }

    #[test]
    fn a_record_is_what_tensorflow_writes() {
        // The first record of every file that TensorFlow writes, with time 0.
        let event = Message::default().double(1, 0.0).text(3, "brain.Event:2");
        let mut file = Vec::new();
        event.record(&mut file);
        assert_eq!(file[..12], [0x18, 0, 0, 0, 0, 0, 0, 0, 0xa3, 0x7f, 0x4b, 0x22]);
        assert_eq!(file.len(), 12 + 24 + 4);
    }
}
