//! The keyboard's field: where an account number and a payment password are typed (PM2).
//!
//! Owns the digits until they are sealed or wiped; gives out a number to compare with
//! paper, a count, and a sealed block, never a digit of a password (I7). While a field
//! is open, digits and the keys that change them end here and reach no flow. A part of
//! the loop ([`crate::kiosk`]), so that no queue ever holds what was typed.

use counterfoil_data::sealed::{Sealed, SecretText};
use counterfoil_data::seam::Entropy;
use counterfoil_data::secret::{DIGITS_MAX, Digits, Secret};
use counterfoil_data::wire::problem::Remedy;

use crate::cmd::Cmd;
use crate::flow::effect::{Field, Sealing, Ticket};
use crate::flow::event::{Answer, Typed};
use crate::model::{FieldProblem, TypedNumber};

/// Fewest digits of an account number.
pub const ACCOUNT_DIGITS_MIN: usize = 16;
/// Most digits of an account number.
pub const ACCOUNT_DIGITS_MAX: usize = DIGITS_MAX;
/// Digits of a payment password.
pub const PASSWORD_DIGITS: usize = 16;

/// Fewest and most digits of a field.
fn lengths(field: Field) -> (usize, usize) {
    match field {
        Field::Account => (ACCOUNT_DIGITS_MIN, ACCOUNT_DIGITS_MAX),
        Field::Password => (PASSWORD_DIGITS, PASSWORD_DIGITS),
    }
}

#[derive(Debug, Clone, Copy)]
struct Open {
    ticket: Ticket,
    field: Field,
    sealing: Sealing,
}

/// Both fields; at most one is open.
#[derive(Debug, Default)]
pub(crate) struct Keyboard {
    account: Digits,
    password: Digits,
    open: Option<Open>,
}

impl Keyboard {
    /// Opens a field and says what is in it: an account number as it was left, a
    /// password never.
    pub fn open(&mut self, ticket: Ticket, field: Field, sealing: Sealing) -> Answer {
        self.password.clear();
        self.open = Some(Open {
            ticket,
            field,
            sealing,
        });
        self.typed(field, None)
    }

    /// Wipes both (I10).
    pub fn wipe(&mut self) {
        self.account.clear();
        self.password.clear();
        self.open = None;
    }

    /// Takes a command that is the open field's; `Err` gives it back.
    pub fn take(&mut self, cmd: Cmd, entropy: &dyn Entropy) -> Result<(Ticket, Answer), Cmd> {
        let Some(open) = self.open else {
            return Err(cmd);
        };
        let (fewest, most) = lengths(open.field);
        let digits = self.digits(open.field);
        let problem = match cmd {
            Cmd::Digit(digit) => {
                let taken = digits.len() < most && digits.push(digit);
                (!taken).then_some(FieldProblem::TooLong)
            }
            Cmd::Erase => {
                digits.pop();
                None
            }
            Cmd::Clear => {
                digits.clear();
                None
            }
            Cmd::Other => Some(FieldProblem::NotADigit),
            Cmd::Enter if digits.len() >= fewest => {
                return Ok((open.ticket, self.seal(open, entropy)));
            }
            Cmd::Enter => Some(FieldProblem::TooShort),
            cmd => return Err(cmd),
        };
        Ok((open.ticket, self.typed(open.field, problem)))
    }

    fn digits(&mut self, field: Field) -> &mut Digits {
        match field {
            Field::Account => &mut self.account,
            Field::Password => &mut self.password,
        }
    }

    fn typed(&self, field: Field, problem: Option<FieldProblem>) -> Answer {
        let typed = match field {
            Field::Account => Typed::Account(TypedNumber::of(&self.account)),
            Field::Password => {
                Typed::Password(u8::try_from(self.password.len()).unwrap_or(u8::MAX))
            }
        };
        Answer::Typed(typed, problem)
    }

    /// Ends the field. A password is wiped with it.
    fn seal(&mut self, open: Open, entropy: &dyn Entropy) -> Answer {
        let Sealing { binding, key } = open.sealing;
        let text = SecretText(Secret::new(self.digits(open.field).expose().to_owned()));
        self.open = None;
        self.password.clear();
        match Sealed::seal(&text, &key, binding, entropy) {
            Ok(sealed) => Answer::FieldDone(sealed),
            Err(error) => {
                tracing::error!(%error, "what was typed cannot be sealed");
                Answer::Fault(Remedy::CallStaff)
            }
        }
    }
}

#[cfg(test)]
mod tests;
