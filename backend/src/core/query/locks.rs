//! Whether an attempt would be refused by a lock, before anybody waits to compare.

use counterfoil_data::ids::KioskId;
use jiff::Timestamp;

use crate::core::decide::{kiosk_key, subject_key};
use crate::core::overlay::get;
use crate::core::record::bank::KeyedHash;
use crate::core::record::books::AttemptRow;
use crate::store::{Read, StoreError};

/// A card or account, or the kiosk it is used at, is locked at this moment. The core
/// looks again when it counts; this only saves the waiting.
pub fn is_locked(
    read: &dyn Read,
    subject: KeyedHash,
    kiosk: &KioskId,
    now: Timestamp,
) -> Result<bool, StoreError> {
    for key in [subject_key(subject), kiosk_key(kiosk)] {
        let row: Option<AttemptRow> = get(read, &key)?;
        if row
            .and_then(|row| row.locked_until)
            .is_some_and(|until| until > now)
        {
            return Ok(true);
        }
    }
    Ok(false)
}
