//! The run as text, and as a page with plots.

use std::fmt::Write as _;
use std::path::Path;

use super::CLIENTS;
use super::contest::{Contender, Results};
use super::gates::{self, Gate, median};
use super::queue::Slice;

/// Everything that is told of a run.
pub struct Report {
    text: String,
    rates: String,
    waits: String,
    gates: Vec<Gate>,
}

/// One figure of every contender, by clients.
type Figures = Vec<(&'static str, Vec<f64>)>;

impl Report {
    pub fn of(results: &Results, slices: usize) -> Self {
        let table = |of: &dyn Fn(&Slice) -> f64| -> Figures {
            let row = |who: Contender| {
                let figure = |clients: &usize| median(results, (who, *clients), of);
                (who.name(), CLIENTS.iter().map(figure).collect())
            };
            Contender::ALL.into_iter().map(row).collect()
        };
        let rates = table(&Slice::rate);
        let (middle, slow) = (table(&|s| s.wait_ms(500)), table(&|s| s.wait_ms(990)));
        let gates = gates::all(results);
        let mut text = String::new();
        let (rows, bytes) = results.rows;
        // Writing to a String cannot fail.
        let _ = writeln!(
            text,
            "Linked processing of a sale of 25 forms: {rows} rows, {bytes} bytes written. \
             Medians of {slices} slices in turn.\n"
        );
        grid(&mut text, "sales a second", &rates, 0);
        grid(&mut text, "median wait, ms", &middle, 2);
        grid(&mut text, "p99 wait, ms", &slow, 2);
        let (service, clients) = results.processor;
        let _ = writeln!(
            text,
            "Processor time in the HTTP slices: service {:.1} s, clients {:.1} s (they sign \
             beforehand). Most memory of the service: {:.1} MiB.\n",
            service.as_secs_f64(),
            clients.as_secs_f64(),
            results.memory_mib
        );
        let _ = writeln!(text, "{:<58}{:>10}{:>12}", "gate", "seen", "bound");
        for gate in &gates {
            let sign = if gate.is_floor { ">=" } else { "<=" };
            let verdict = if gate.is_kept() { "" } else { "  NOT KEPT" };
            let _ = writeln!(
                text,
                "{:<58}{:>10.2}{:>12}{verdict}",
                gate.what,
                gate.seen,
                format!("{sign} {}", gate.bound)
            );
        }
        if !results.has_postgres {
            let _ = writeln!(text, "PostgreSQL 15 is not here: its gate is not kept.");
        }
        Self {
            text,
            rates: plot("sales a second", &rates),
            waits: plot("p99 wait, ms", &slow),
            gates,
        }
    }

    pub fn print(&self) {
        println!("{}", self.text);
    }

    pub fn is_kept(&self) -> bool {
        self.gates.iter().all(Gate::is_kept)
    }

    /// Writes `backend.md` and its plots.
    pub fn write(&self, folder: &Path) -> anyhow::Result<()> {
        std::fs::create_dir_all(folder)?;
        std::fs::write(folder.join("backend-rates.svg"), &self.rates)?;
        std::fs::write(folder.join("backend-waits.svg"), &self.waits)?;
        let page = format!(
            "# The backend beside its peers\n\n![sales a second](backend-rates.svg)\n\n\
             ![p99 wait](backend-waits.svg)\n\n```\n{}```\n",
            self.text
        );
        std::fs::write(folder.join("backend.md"), page)?;
        Ok(())
    }
}

fn grid(text: &mut String, what: &str, figures: &Figures, digits: usize) {
    let heads = CLIENTS.map(|clients| format!("{clients:>10}"));
    let _ = writeln!(text, "{:<30}{} clients", what, heads.concat());
    for (name, row) in figures {
        let cells: Vec<String> = row.iter().map(|f| format!("{f:>10.digits$}")).collect();
        let _ = writeln!(text, "{name:<30}{}", cells.concat());
    }
    let _ = writeln!(text);
}

const COLOURS: [&str; 8] = [
    "#0b6e4f", "#2ca25f", "#99d8c9", "#555555", "#e08214", "#fdb863", "#5e3c99", "#b2abd2",
];

/// Bars on a logarithmic scale, a group for each number of clients.
fn plot(title: &str, figures: &Figures) -> String {
    let (width, height, left, top, foot) = (900.0, 420.0, 60.0, 40.0, 120.0);
    let all = || figures.iter().flat_map(|(_, row)| row).filter(|f| **f > 0.0);
    let most = all().fold(1.0_f64, |a, b| a.max(*b)).log10().ceil();
    let least = all().fold(f64::MAX, |a, b| a.min(*b)).log10().floor();
    let least = least.min(most - 1.0);
    let y = |figure: f64| top + height * (most - figure.max(1e-9).log10()) / (most - least);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" \
         fill=\"white\"/>\n<text x=\"{left}\" y=\"22\" font-size=\"16\">{title} \
         (logarithmic), by clients</text>\n",
        width + left + 20.0,
        height + top + foot
    );
    let mut decade = least;
    while decade <= most {
        let (at, label) = (y(10_f64.powf(decade)), 10_f64.powf(decade));
        let _ = writeln!(
            svg,
            "<line x1=\"{left}\" x2=\"{}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#ddd\"/>\
             <text x=\"{}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            width + left,
            left - 6.0,
            at + 4.0
        );
        decade += 1.0;
    }
    let group = width / CLIENTS.len() as f64;
    let bar = group * 0.85 / figures.len() as f64;
    for (n, clients) in CLIENTS.iter().enumerate() {
        let from = left + group * n as f64 + group * 0.07;
        for ((m, (_, row)), colour) in figures.iter().enumerate().zip(COLOURS) {
            let figure = row.get(n).copied().unwrap_or(0.0);
            if figure <= 0.0 {
                continue;
            }
            let (x, at) = (from + bar * m as f64, y(figure));
            let _ = writeln!(
                svg,
                "<rect x=\"{x:.1}\" y=\"{at:.1}\" width=\"{:.1}\" height=\"{:.1}\" \
                 fill=\"{colour}\"><title>{figure:.2}</title></rect>",
                bar - 1.5,
                (top + height - at).max(0.0)
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{clients}</text>",
            from + group * 0.43,
            top + height + 18.0
        );
    }
    for ((m, (name, _)), colour) in figures.iter().enumerate().zip(COLOURS) {
        let (x, at) = (
            left + 220.0 * (m % 4) as f64,
            top + height + 45.0 + 24.0 * (m / 4) as f64,
        );
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{:.1}\" width=\"12\" height=\"12\" fill=\"{colour}\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
            at - 10.0,
            x + 18.0,
            at
        );
    }
    svg.push_str("</svg>\n");
    svg
}
