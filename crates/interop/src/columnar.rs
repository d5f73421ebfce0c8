//! Tables as Parquet, uncompressed: every column is optional, whole numbers have 64 bits, texts are UTF-8.

use std::{io::Write, sync::Arc};

use parquet::{
    basic::{LogicalType, Repetition, Type as Physical},
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, DoubleType, Int64Type},
    errors::{ParquetError, Result},
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::types::Type,
};

use crate::{
    ExportError,
    table::{Cell, Cells, Column, Kind, Rows},
};

/// So many rows are held in memory, and lie together in the file.
const GROUP: usize = 1 << 16;

pub struct Parquet<W: Write + Send> {
    /// Until the columns are known.
    out: Option<W>,
    writer: Option<SerializedFileWriter<W>>,
    kinds: Vec<Kind>,
    rows: Vec<Cells>,
}

impl<W: Write + Send> Parquet<W> {
    pub fn new(out: W) -> Self {
        Self { out: Some(out), writer: None, kinds: Vec::new(), rows: Vec::new() }
    }

    fn begin(&mut self, columns: &[Column]) -> Result<()> {
        let fields = columns.iter().map(|column| Ok(Arc::new(field(column)?)));
        let fields = fields.collect::<Result<Vec<_>>>()?;
        let schema = Type::group_type_builder("pleach").with_fields(fields).build()?;
        if let Some(out) = self.out.take() {
            let properties = Arc::new(WriterProperties::builder().build());
            self.writer = Some(SerializedFileWriter::new(out, Arc::new(schema), properties)?);
        }
        Ok(())
    }

    fn group(&mut self) -> Result<()> {
        let Some(writer) = &mut self.writer else { return Ok(()) };
        let mut group = writer.next_row_group()?;
        for (index, kind) in self.kinds.iter().enumerate() {
            let Some(mut column) = group.next_column()? else { continue };
            let cells = self.rows.iter().map(|row| row.get(index)?.as_ref());
            let writer = &mut column;
            match kind {
                Kind::Bool => write::<BoolType>(writer, cells, |cell| match cell {
                    Cell::Bool(value) => Some(*value),
                    _ => None,
                }),
                Kind::Int | Kind::Unsigned => {
                    write::<Int64Type>(writer, cells, |cell| match cell {
                        Cell::Int(value) => Some(*value),
                        // Its bits, as the logical type says.
                        Cell::Unsigned(value) => Some(*value as i64),
                        _ => None,
                    })
                }
                Kind::Float => write::<DoubleType>(writer, cells, |cell| match cell {
                    Cell::Float(value) => Some(*value),
                    _ => None,
                }),
                Kind::Number | Kind::Text => {
                    write::<ByteArrayType>(writer, cells, |cell| match cell {
                        Cell::Text(text) => Some(ByteArray::from(text.as_str())),
                        Cell::Int(value) => Some(ByteArray::from(value.to_string().as_str())),
                        Cell::Float(value) => Some(ByteArray::from(format!("{value:?}").as_str())),
                        _ => None,
                    })
                }
            }?;
            column.close()?;
        }
        group.close()?;
        self.rows.clear();
        Ok(())
    }

    fn finish(&mut self) -> Result<()> {
        if !self.rows.is_empty() {
            self.group()?;
        }
        match self.writer.take() {
            Some(writer) => Ok(writer.into_inner()?.flush()?),
            None => Ok(()),
        }
    }
}

impl<W: Write + Send> Rows for Parquet<W> {
    fn columns(&mut self, columns: &[Column]) -> Result<(), ExportError> {
        self.kinds = columns.iter().map(|column| column.kind).collect();
        self.begin(columns).map_err(wrong)
    }

    fn row(&mut self, row: Cells) -> Result<(), ExportError> {
        self.rows.push(row);
        if self.rows.len() < GROUP { Ok(()) } else { self.group().map_err(wrong) }
    }

    fn end(&mut self) -> Result<(), ExportError> {
        self.finish().map_err(wrong)
    }
}

fn field(column: &Column) -> Result<Type> {
    let integer = |is_signed| Some(LogicalType::integer(64, is_signed));
    let (physical, logical) = match column.kind {
        Kind::Bool => (Physical::BOOLEAN, None),
        Kind::Int => (Physical::INT64, integer(true)),
        Kind::Unsigned => (Physical::INT64, integer(false)),
        Kind::Float => (Physical::DOUBLE, None),
        // All digits, in a type that other programs read as a text.
        Kind::Number | Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
    };
    Type::primitive_type_builder(&column.name, physical)
        .with_repetition(Repetition::OPTIONAL)
        .with_logical_type(logical)
        .build()
}

/// Values that are there, and for every row whether it has one.
fn write<'a, T: DataType>(
    column: &mut parquet::file::writer::SerializedColumnWriter,
    cells: impl Iterator<Item = Option<&'a Cell>>,
    value: impl Fn(&Cell) -> Option<T::T>,
) -> Result<()> {
    let (mut values, mut levels) = (Vec::new(), Vec::new());
    for cell in cells {
        let value = cell.and_then(&value);
        levels.push(i16::from(value.is_some()));
        values.extend(value);
    }
    column.typed::<T>().write_batch(&values, Some(&levels), None)?;
    Ok(())
}

fn wrong(error: ParquetError) -> ExportError {
    ExportError::Write(match error {
        ParquetError::External(cause) => match cause.downcast::<std::io::Error>() {
            Ok(error) => *error,
            Err(other) => std::io::Error::other(other),
        },
        other => std::io::Error::other(other),
    })
}

#[cfg(test)]
mod tests {
    use parquet::{
        file::reader::{FileReader, SerializedFileReader},
        record::{Field, Row},
    };
    use proptest::prelude::*;

    use super::*;

    fn cell(kind: Kind) -> BoxedStrategy<Option<Cell>> {
        let some = match kind {
            Kind::Bool => any::<bool>().prop_map(Cell::Bool).boxed(),
            Kind::Int => any::<i64>().prop_map(Cell::Int).boxed(),
            Kind::Unsigned => any::<u64>().prop_map(Cell::Unsigned).boxed(),
            Kind::Float => any::<u64>().prop_map(|bits| Cell::Float(f64::from_bits(bits))).boxed(),
            Kind::Number => {
                prop_oneof![any::<i64>().prop_map(Cell::Int), any::<f64>().prop_map(Cell::Float)]
                    .boxed()
            }
            Kind::Text => any::<String>().prop_map(Cell::Text).boxed(),
        };
        proptest::option::of(some).boxed()
    }

    fn tables() -> impl Strategy<Value = (Vec<Kind>, Vec<Cells>)> {
        const KINDS: [Kind; 6] =
            [Kind::Bool, Kind::Int, Kind::Unsigned, Kind::Float, Kind::Number, Kind::Text];
        proptest::collection::vec((0..KINDS.len()).prop_map(|index| KINDS[index]), 1..6)
            .prop_flat_map(|kinds| {
                let row: Vec<_> = kinds.iter().map(|kind| cell(*kind)).collect();
                (Just(kinds), proptest::collection::vec(row, 0..30))
            })
    }

    /// With bits for numbers, so that every NaN is equal to itself.
    fn read(row: &Row) -> Vec<String> {
        let text = |(_, field): (&String, &Field)| match field {
            Field::Double(value) => format!("{:x}", value.to_bits()),
            Field::Null => "none".to_owned(),
            other => format!("{other:?}"),
        };
        row.get_column_iter().map(text).collect()
    }

    fn given(kinds: &[Kind], row: &Cells) -> Vec<String> {
        let text = |(kind, cell): (&Kind, &Option<Cell>)| match cell {
            None => "none".to_owned(),
            Some(Cell::Int(value)) if *kind == Kind::Number => {
                format!("{:?}", Field::Str(value.to_string()))
            }
            Some(Cell::Float(value)) if *kind == Kind::Number => {
                format!("{:?}", Field::Str(format!("{value:?}")))
            }
            Some(Cell::Float(value)) => format!("{:x}", value.to_bits()),
            Some(Cell::Bool(value)) => format!("{:?}", Field::Bool(*value)),
            Some(Cell::Int(value)) => format!("{:?}", Field::Long(*value)),
            Some(Cell::Unsigned(value)) => format!("{:?}", Field::ULong(*value)),
            Some(Cell::Text(text)) => format!("{:?}", Field::Str(text.clone())),
        };
        kinds.iter().zip(row).map(text).collect()
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back((kinds, rows) in tables()) {
            let mut bytes = Vec::new();
            let mut out = Parquet::new(&mut bytes);
            let columns: Vec<Column> = kinds
                .iter()
                .enumerate()
                .map(|(index, kind)| Column { name: format!("ä {index}"), kind: *kind })
                .collect();
            out.columns(&columns).unwrap();
            for row in &rows {
                out.row(row.clone()).unwrap();
            }
            out.end().unwrap();
            drop(out);
            let file = SerializedFileReader::new(file_of(&bytes)).unwrap();
            let found: Vec<_> =
                file.get_row_iter(None).unwrap().map(|row| read(&row.unwrap())).collect();
            prop_assert_eq!(found, rows.iter().map(|row| given(&kinds, row)).collect::<Vec<_>>());
        }
    }

    fn file_of(bytes: &[u8]) -> std::fs::File {
        use std::io::Seek;
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }
}
