//! Records: what one row of the books says, and how it is written.
//!
//! A row is a version byte and postcard; the version is of the table's shape.
//! Wire enums used in rows are written by variant order, so variants are only
//! ever added at the end.

pub mod backup;
pub mod bank;
pub mod books;
mod duty;
pub mod prints;
pub mod proposal;
pub mod rows;
pub mod sale;
pub mod sheet;
pub mod staff;
pub mod stock;
pub mod terms;
pub mod witness;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::key::Table;

/// Version byte of every row shape of today.
pub const ROW_VERSION: u8 = 1;

/// A row cannot be read or written: the file is damaged or of another version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The version byte is not one this program knows.
    #[error("a row of {table:?} has version {version}: run the matching release")]
    Version {
        /// Which table.
        table: Table,
        /// The byte found.
        version: u8,
    },
    /// The bytes are not a row of this table.
    #[error("a row of {table:?} is damaged: restore from a backup")]
    Damaged {
        /// Which table.
        table: Table,
    },
}

/// A row type of one table.
pub trait Record: Serialize + DeserializeOwned {
    /// Where it lives.
    const TABLE: Table;
}

/// The bytes of a row.
pub fn encode<R: Record>(row: &R) -> Result<Vec<u8>, RecordError> {
    let bytes = vec![ROW_VERSION];
    postcard::to_extend(row, bytes).map_err(|_| RecordError::Damaged { table: R::TABLE })
}

/// A row out of its bytes.
pub fn decode<R: Record>(bytes: &[u8]) -> Result<R, RecordError> {
    let damaged = RecordError::Damaged { table: R::TABLE };
    let (version, body) = bytes.split_first().ok_or(damaged)?;
    if *version != ROW_VERSION {
        return Err(RecordError::Version {
            table: R::TABLE,
            version: *version,
        });
    }
    let (row, rest) = postcard::take_from_bytes(body).map_err(|_| damaged)?;
    if rest.is_empty() {
        Ok(row)
    } else {
        Err(damaged)
    }
}

#[cfg(test)]
mod tests {
    use counterfoil_data::bill::BillNumber;
    use counterfoil_data::ids::SaleId;
    use counterfoil_data::wire::Digest;

    #[test]
    fn ids_are_numbers_in_rows_and_a_bent_one_is_refused() {
        let number: BillNumber = "3130002100010001".parse().expect("a number");
        let row = (number, SaleId(7), Digest([9; 32]));
        let bytes = postcard::to_stdvec(&row).expect("encodes");
        // Varints of both rows and of the id, and the bare hash.
        assert_eq!(bytes.len(), 4 + 2 + 1 + 32);
        type Row = (BillNumber, SaleId, Digest);
        assert_eq!(postcard::from_bytes::<Row>(&bytes), Ok(row));
        // A kind of 0 and of 9, and a serial of nine digits.
        for (prefix, serial) in [
            (31_300_001_u32, 1_u32),
            (31_300_091, 1),
            (31_300_021, 100_000_000),
        ] {
            let bent = postcard::to_stdvec(&(prefix, serial)).expect("encodes");
            assert!(
                postcard::from_bytes::<BillNumber>(&bent).is_err(),
                "{prefix}"
            );
        }
    }
}
