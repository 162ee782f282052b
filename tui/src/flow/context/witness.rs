//! The kiosk as a witness (I8): it remembers the largest evidence log it saw, says so to
//! the backend, and serves nobody from books that were put back behind it.

use counterfoil_data::tlog::{Inclusion, verify_inclusion};
use counterfoil_data::wire::sale::{KioskView, Proof, TreeSeen, Witness};

use super::{Bank, Context};
use crate::flow::effect::{Act, BankCall, Desk, Record, Ticket};
use crate::model::ServiceFault;

impl Context {
    /// Asks the backend who we are and what we were doing, and says what we saw.
    pub fn ask_kiosk(&mut self) -> Ticket {
        self.call(BankCall::Kiosk(self.seen))
    }

    /// The largest evidence log seen, to be said with every sale.
    pub fn seen(&self) -> Option<TreeSeen> {
        self.seen
    }

    /// From now on this is the largest log seen, also after a power cut. An empty one
    /// says nothing.
    fn witness(&mut self, tree: TreeSeen) {
        if self.seen == Some(tree) || tree.size == 0 {
            return;
        }
        self.seen = Some(tree);
        if self.records.is_empty() {
            // Nothing else is there: the journal does not grow by it.
            self.ask(Desk::Journal, Act::Forget(self.seen));
        } else {
            self.ask(Desk::Journal, Act::Remember(Record::Seen { tree }));
        }
    }

    /// Takes over what the backend says about us; refuses books that were put back behind
    /// what we saw, whether the backend finds it out or we do (I8). After two people
    /// reconciled us its log counts, whatever we saw.
    pub fn learn(&mut self, view: &KioskView) -> Result<(), ServiceFault> {
        if !view.witness.sells() {
            return Err(ServiceFault::BooksBehind);
        }
        let tree = TreeSeen {
            size: view.checkpoint.size,
            root: view.checkpoint.root,
        };
        let forked =
            |seen: TreeSeen| tree.size < seen.size || (tree.size == seen.size && tree != seen);
        if view.witness == Witness::Agrees && self.seen.is_some_and(forked) {
            return Err(ServiceFault::LogShrunk);
        }
        let key = view.sealing_key().ok_or(ServiceFault::NotEnrolled)?;
        self.bank = Some(Bank {
            branch_name: view.branch_name.clone(),
            modes: view.modes.clone(),
            key,
            slots: view.slots.clone(),
        });
        self.witness(tree);
        Ok(())
    }

    /// Whether the receipt's entry is in the log (I8). The proof may be older than
    /// the newest head seen: a receipt is made once.
    pub fn proves(&mut self, proof: &Proof) -> bool {
        let claim = Inclusion {
            index: proof.leaf,
            leaf: proof.leaf_hash,
            size: proof.size,
            root: proof.root,
            path: &proof.path,
        };
        let holds = verify_inclusion(&claim).is_ok();
        if holds && self.seen.is_none_or(|seen| seen.size < proof.size) {
            self.witness(TreeSeen {
                size: proof.size,
                root: proof.root,
            });
        }
        self.log_broken |= !holds;
        holds
    }
}
