//! Whether a print job says exactly what the officer confirmed (S17-S22, S9).

use std::collections::BTreeMap;

use super::FormTemplate;
use crate::bill::BillNumber;
use crate::wire::confirm::ConfirmText;
use crate::wire::problem::Remedy;
use crate::wire::sale::PrintJob;

/// Why a job must not be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FollowError {
    /// The job names another confirmed text.
    #[error("the job does not follow from the confirmed text: its digest differs")]
    Digest,
    /// No such template, or one that does not load.
    #[error("the job names a form template this kiosk does not have")]
    Template,
    /// The template is for another kind than the number's.
    #[error("the form template is for another kind than the number's")]
    Kind,
    /// The number is not among the confirmed ones and is no lawful supplement.
    #[error("number {0:?} was not confirmed")]
    Number(BillNumber),
    /// A supplement that stands in for a number that was not confirmed, or is of
    /// another prefix.
    #[error("supplement {0:?} does not stand in for a confirmed number of its own prefix")]
    Supplement(BillNumber),
    /// A field is missing, one too many, or not what was confirmed.
    #[error("a field of the job is not what was confirmed")]
    Field,
}

impl FollowError {
    /// Nothing was fed; staff must look at why backend and kiosk disagree.
    pub fn remedy(&self) -> Remedy {
        Remedy::CallStaff
    }
}

/// The fields of every form under this confirmed text.
pub fn expected_fields(approved: &ConfirmText) -> BTreeMap<String, String> {
    [
        ("account_name", &approved.account_name),
        ("account", &approved.account),
        ("bank_name", &approved.bank_name),
        ("bank_number", &approved.bank_number),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.clone()))
    .collect()
}

/// Whether `job` follows from `approved`, field by field. Called by the form
/// printer's driver before ink; what passes is printed.
///
/// An ordinary job's number lies in the confirmed ranges. A supplement
/// ([`PrintJob::supplement_of`]) stands in for a confirmed number that came to
/// nothing: its own number lies outside the confirmed ranges, has the prefix of
/// the one it replaces, and it repeats every field and the digest. The backend
/// chose it from the cassette's head, so no officer saw it; that is why it may
/// differ in the serial and in nothing else.
pub fn follows(job: &PrintJob, approved: &ConfirmText) -> Result<(), FollowError> {
    if job.approved != approved.digest() {
        return Err(FollowError::Digest);
    }
    let template = super::template(&job.template).map_err(|_| FollowError::Template)?;
    if job.number.prefix.kind() != Ok(template.kind) {
        return Err(FollowError::Kind);
    }
    let confirmed = |number| approved.ranges.iter().any(|r| r.contains(number));
    match job.supplement_of {
        None if confirmed(job.number) => {}
        None => return Err(FollowError::Number(job.number)),
        Some(of) => {
            let lawful = confirmed(of) && of.prefix == job.number.prefix;
            if !lawful || confirmed(job.number) {
                return Err(FollowError::Supplement(job.number));
            }
        }
    }
    fields(job, approved, &template)
}

fn fields(
    job: &PrintJob,
    approved: &ConfirmText,
    template: &FormTemplate,
) -> Result<(), FollowError> {
    let expected = expected_fields(approved);
    let printed = |name: &String| template.field(name).is_some();
    let same = job.fields == expected
        && expected.len() == template.fields.len()
        && expected.keys().all(printed);
    same.then_some(()).ok_or(FollowError::Field)
}
