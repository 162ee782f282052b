//! Two custodians at work in the vault and at a kiosk, at the moment a script says.
//! They give the commands that the custody interface gives; what hands do to paper
//! is the desk's (`form-printer load`).

use counterfoil_backend::core::command::{Actor, CommandBody};
use counterfoil_data::bill::{BillNumber, BillRange};
use counterfoil_data::demo::Role;
use counterfoil_data::ids::StaffId;
use counterfoil_data::wire::custody::Act;

use super::World;

impl World {
    /// One `staff …` line; a refusal is told.
    pub(super) async fn custodians_act(&mut self, line: &str) -> Result<(), String> {
        let custodians = self.bank.staff.iter();
        let custodians = custodians.filter(|s| s.role == Role::Custodian);
        let mut custodians = custodians.map(|s| s.id.clone());
        let (Some(first), Some(second)) = (custodians.next(), custodians.next()) else {
            return Err("the demo bank has no two custodians".to_owned());
        };
        let body = self.custody(line, second)?;
        let given = self.house.give(Actor::Staff(first), body).await?;
        given.map_err(|refusal| format!("{line}: {refusal}"))
    }

    fn custody(&self, line: &str, second: StaffId) -> Result<CommandBody, String> {
        let words: Vec<&str> = line.split(' ').skip(1).collect();
        let wrong = |e: &dyn std::fmt::Display| format!("{line}: {e}");
        Ok(match words.as_slice() {
            ["receive", numbers] => {
                let range = range(numbers)?;
                CommandBody::ReceiveBlanks {
                    second,
                    branch: self.bank.branch.id.clone(),
                    range,
                    count: range.count(),
                }
            }
            ["load", kiosk, slot, numbers] => CommandBody::LoadCassette {
                second,
                kiosk: kiosk.parse().map_err(|e| wrong(&e))?,
                slot: slot.parse().map_err(|e| wrong(&e))?,
                range: range(numbers)?,
            },
            ["unload", kiosk, slot] => CommandBody::UnloadCassette {
                second,
                kiosk: kiosk.parse().map_err(|e| wrong(&e))?,
                slot: slot.parse().map_err(|e| wrong(&e))?,
            },
            ["unlock", kiosk, slot] => CommandBody::UnlockSlot {
                second,
                kiosk: kiosk.parse().map_err(|e| wrong(&e))?,
                slot: slot.parse().map_err(|e| wrong(&e))?,
            },
            ["miss", numbers] => CommandBody::Custody {
                second,
                act: Act::Miss {
                    range: range(numbers)?,
                    seen: "not in the slot".to_owned(),
                },
            },
            ["reconcile", kiosk] => CommandBody::ReconcileKiosk {
                second,
                kiosk: kiosk.parse().map_err(|e| wrong(&e))?,
                reason: "forms counted, the slot loaded anew".to_owned(),
            },
            _ => return Err(format!("{line}: nobody knows what staff should do")),
        })
    }
}

fn range(text: &str) -> Result<BillRange, String> {
    let (first, last) = text.split_once('-').ok_or("a range is FIRST-LAST")?;
    let number = |text: &str| text.parse::<BillNumber>().map_err(|e| e.to_string());
    let (first, last) = (number(first)?, number(last)?);
    BillRange::new(first.prefix, first.serial, last.serial).map_err(|e| e.to_string())
}
