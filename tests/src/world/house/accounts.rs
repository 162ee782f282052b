//! Accounts of staff, in a world where they log in.

use anyhow::Context as _;
use counterfoil_backend::core::command::{Actor, CommandBody, StaffCommand};
use counterfoil_backend::core::record::bank::{Duty, StaffRow};
use counterfoil_backend::core::record::staff::AccessRow;
use counterfoil_backend::workers::pin::{Argon2Params, PinBench};
use counterfoil_data::demo::{DemoBank, Role};
use counterfoil_data::ids::StaffId;

use super::House;

/// The first password of everybody; plays type it.
const FIRST: &str = "abcde-fghij-kmnpq-rstuv";

impl House {
    /// Two security administrators give every officer and custodian an account, and from
    /// now on staff log in.
    pub async fn give_accounts(&self, bank: &DemoBank) -> anyhow::Result<()> {
        let mut bench = PinBench::new(Argon2Params::testbed());
        let hash = bench.hash(&self.keys, FIRST, &*self.entropy);
        let first = hash.context("a hash")?.to_phc();
        let access = AccessRow {
            sessions: true,
            staff_attempts: 3,
            ..AccessRow::default()
        };
        let mut bodies = vec![CommandBody::EnrolAccess(access)];
        let people = ["security-1", "security-2"];
        let [giver, second]: [StaffId; 2] = [people[0].parse()?, people[1].parse()?];
        for id in [&giver, &second] {
            bodies.push(CommandBody::EnrolStaff(StaffRow {
                id: id.clone(),
                name: "样例管理员".to_owned(),
                branch: bank.branch.id.clone(),
                duty: Duty::SecurityAdmin,
                key: None,
            }));
        }
        for body in bodies {
            self.must(Actor::System, body).await?;
        }
        for person in &bank.staff {
            let role = match person.role {
                Role::Officer => Duty::Officer,
                Role::Custodian => Duty::Custodian,
                _ => continue,
            };
            let body = CommandBody::Staff(StaffCommand::Create {
                second: second.clone(),
                staff: person.id.clone(),
                name: None,
                roles: vec![role],
                key: None,
                password: first.clone(),
            });
            self.must(Actor::Staff(giver.clone()), body).await?;
        }
        Ok(())
    }

    async fn must(&self, actor: Actor, body: CommandBody) -> anyhow::Result<()> {
        let given = self.give(actor, body).await;
        Ok(given.map_err(anyhow::Error::msg)??)
    }
}
