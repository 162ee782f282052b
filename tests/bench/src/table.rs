//! Rows of figures with their budgets.

/// One figure.
struct Row {
    what: String,
    ours: f64,
    peer: f64,
    cost: f64,
    budget: f64,
    unit: &'static str,
}

/// Figures of one kind.
pub struct Table {
    title: &'static str,
    rows: Vec<Row>,
}

impl Table {
    pub fn new(title: &'static str) -> Self {
        Self {
            title,
            rows: Vec::new(),
        }
    }

    /// A figure and its peer; what counts against the budget is the difference.
    pub fn add(&mut self, what: &str, ours: f64, peer: f64, budget: f64, unit: &'static str) {
        self.rows.push(Row {
            what: what.to_owned(),
            ours,
            peer,
            cost: (ours - peer).max(0.0),
            budget,
            unit,
        });
    }

    /// A figure whose peer does the same job: all of it counts against the budget.
    pub fn add_whole(&mut self, what: &str, ours: f64, peer: f64, budget: f64, unit: &'static str) {
        self.rows.push(Row {
            what: what.to_owned(),
            ours,
            peer,
            cost: ours,
            budget,
            unit,
        });
    }

    pub fn is_kept(&self) -> bool {
        self.rows.iter().all(|row| row.cost <= row.budget)
    }

    pub fn print(&self) {
        println!("{}", self.title);
        let head = ["ours", "peer", "ratio", "cost", "budget"];
        let head: Vec<String> = head.iter().map(|word| format!("{word:>9}")).collect();
        println!("{:<40}{}", "", head.concat());
        for row in &self.rows {
            let ratio = if row.peer > 0.0 {
                format!("{:.2}", row.ours / row.peer)
            } else {
                "-".to_owned()
            };
            let verdict = if row.cost <= row.budget { "" } else { "  OVER" };
            println!(
                "{:<40}{:>9.3}{:>9.3}{ratio:>9}{:>9.3}{:>9.3} {}{verdict}",
                row.what, row.ours, row.peer, row.cost, row.budget, row.unit
            );
        }
        println!();
    }
}
