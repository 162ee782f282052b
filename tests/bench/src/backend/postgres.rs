//! PostgreSQL beside us: a server of its own in a temporary folder, the same rows in a
//! table for each of ours, one transaction a sale.
//!
//! Two forms. *Best*: one call of a server-side function a sale, a pool of few connections,
//! and every row that all sales share with us (head of the evidence chain, counters, the
//! account of fees) split by branch, so that only sales of one branch wait for each other.
//! *Naive*: the same statements one by one over the wire, one chain for the whole bank, a
//! connection for each client.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, ensure};
use counterfoil_backend::core::key::{self, Table};
use counterfoil_backend::store::{Key, Read, each_row};
use tokio_postgres::{Client, NoTls, Statement};

use super::bank::BRANCHES;
use super::recorded::{Recorded, tagged};

/// Where Debian puts the server's programs.
const PROGRAMS: &str = "/usr/lib/postgresql/15/bin";
/// Connections of the best form: twice the cores of a small machine, four times ours.
pub const POOL: usize = 8;

/// A running server; its folder goes with it.
pub struct Server {
    folder: PathBuf,
    port: u16,
}

impl Server {
    /// Makes and starts one; `None` where PostgreSQL 15 is not installed.
    pub fn start(folder: &Path) -> anyhow::Result<Option<Self>> {
        if !Path::new(PROGRAMS).join("initdb").exists() {
            return Ok(None);
        }
        let data = folder.join("postgres");
        let _ = std::fs::remove_dir_all(&data);
        std::fs::create_dir_all(&data)?;
        // The server refuses to run as root.
        run(Command::new("chown").arg("postgres").arg(&data))?;
        run(as_postgres("initdb").arg("-D").arg(&data).args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "-U",
            "bench",
        ]))?;
        let port = free_port()?;
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' \
             -c shared_buffers={}MB -c max_connections=300 -c fsync=on \
             -c synchronous_commit=on -c max_wal_size=4GB",
            super::CACHE_MIB
        );
        run(as_postgres("pg_ctl")
            .arg("-D")
            .arg(&data)
            .args(["-w", "-l", "/dev/null", "-o", &settings, "start"]))?;
        Ok(Some(Self {
            folder: data,
            port,
        }))
    }

    /// A connection; it lives on the runtime that it is made on.
    pub async fn connect(&self) -> anyhow::Result<Client> {
        let at = format!(
            "host=127.0.0.1 port={} user=bench dbname=postgres",
            self.port
        );
        let (client, connection) = tokio_postgres::connect(&at, NoTls).await?;
        tokio::spawn(connection);
        Ok(client)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let stop = as_postgres("pg_ctl")
            .arg("-D")
            .arg(&self.folder)
            .args(["-m", "immediate", "stop"])
            .stdout(Stdio::null())
            .status();
        drop(stop);
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn as_postgres(program: &str) -> Command {
    let mut command = Command::new("runuser");
    command.args(["-u", "postgres", "--"]);
    command.arg(Path::new(PROGRAMS).join(program));
    command
}

fn run(command: &mut Command) -> anyhow::Result<()> {
    let done = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let done = done.with_context(|| format!("{command:?}"))?;
    ensure!(done.success(), "{command:?} failed");
    Ok(())
}

fn free_port() -> anyhow::Result<u16> {
    Ok(std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Rows that several sales write, each of which is one row for the whole bank with us.
pub fn shared(sales: &[Recorded]) -> BTreeSet<Key> {
    let mut writers: BTreeMap<&Key, u32> = BTreeMap::new();
    for (key, _) in sales.iter().flat_map(|sale| &sale.updates) {
        *writers.entry(key).or_default() += 1;
    }
    let several = writers.into_iter().filter(|(_, count)| *count > 1);
    several.map(|(key, _)| key.clone()).collect()
}

/// Fills the tables with every row of these books; shared ones also once a branch.
pub async fn fill(client: &Client, read: &dyn Read, shared: &BTreeSet<Key>) -> anyhow::Result<()> {
    for table in Table::ALL {
        let name = table as u8;
        let sql = format!(
            "DROP TABLE IF EXISTS t{name}; \
             CREATE TABLE t{name} (k bytea PRIMARY KEY, v bytea NOT NULL) WITH (fillfactor = 70)"
        );
        client.batch_execute(&sql).await?;
        let (mut keys, mut values) = (Vec::new(), Vec::new());
        each_row(read, key::low(table), &key::high(table), |k, v| {
            if shared.contains(&k) {
                for branch in 0..BRANCHES {
                    keys.push(of_branch(&k, branch));
                    values.push(v.clone());
                }
            }
            keys.push(k);
            values.push(v);
            anyhow::Ok(())
        })?;
        let sql = format!("INSERT INTO t{name} SELECT * FROM unnest($1::bytea[], $2::bytea[])");
        for (keys, values) in keys.chunks(1_000).zip(values.chunks(1_000)) {
            client.execute(&sql, &[&keys, &values]).await?;
        }
    }
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

fn of_branch(key: &[u8], branch: u64) -> Key {
    [key, &branch.to_be_bytes()].concat()
}

/// One sale as arguments of a call.
#[derive(Clone)]
pub struct Call {
    /// Number of the function: sales of one pattern share it.
    pub pattern: usize,
    tables: Pattern,
    reads: Vec<Key>,
    updates: (Vec<Key>, Vec<Vec<u8>>),
    inserts: (Vec<Key>, Vec<Vec<u8>>),
}

/// Tables read, updated and inserted into, in order.
type Pattern = (Vec<u8>, Vec<u8>, Vec<u8>);

/// The calls of these sales, in the best form where `branch_of` is given.
pub fn calls(
    sales: &[Recorded],
    shared: &BTreeSet<Key>,
    branch_of: Option<&dyn Fn(usize) -> u64>,
    own: impl Fn(usize) -> u64,
) -> Vec<Call> {
    let mut patterns: Vec<Pattern> = Vec::new();
    let table = |key: &Key| key.first().copied().unwrap_or(0);
    let mut calls = Vec::new();
    for (at, sale) in sales.iter().enumerate() {
        let kept = |key: &Key| match branch_of {
            Some(branch_of) if shared.contains(key) => of_branch(key, branch_of(at)),
            _ => key.clone(),
        };
        let tables = (
            sale.reads.iter().map(table).collect(),
            sale.updates.iter().map(|(k, _)| table(k)).collect(),
            sale.inserts.iter().map(|(k, _)| table(k)).collect(),
        );
        let pattern = patterns.iter().position(|held| *held == tables);
        let pattern = pattern.unwrap_or_else(|| {
            patterns.push(Pattern::clone(&tables));
            patterns.len() - 1
        });
        calls.push(Call {
            pattern,
            tables,
            reads: sale.reads.iter().map(kept).collect(),
            updates: sale.updates.iter().map(|(k, v)| (kept(k), v.clone())).unzip(),
            inserts: {
                let new = |(k, v): &(Key, Vec<u8>)| (tagged(k, own(at)), v.clone());
                sale.inserts.iter().map(new).unzip()
            },
        });
    }
    calls
}

/// Defines the function of every pattern among these calls.
pub async fn define(client: &Client, calls: &[Call]) -> anyhow::Result<usize> {
    let mut defined = BTreeSet::new();
    for call in calls {
        if !defined.insert(call.pattern) {
            continue;
        }
        let (reads, updates, inserts) = &call.tables;
        let mut body = String::new();
        for (n, t) in (1..).zip(updates) {
            // Locked first and in one order, so that calls wait and never deadlock.
            body += &format!("SELECT v INTO held FROM t{t} WHERE k = uk[{n}] FOR UPDATE;\n");
        }
        for (n, t) in (1..).zip(reads) {
            body += &format!("SELECT v INTO held FROM t{t} WHERE k = rk[{n}];\n");
        }
        for (n, t) in (1..).zip(updates) {
            body += &format!("UPDATE t{t} SET v = uv[{n}] WHERE k = uk[{n}];\n");
        }
        for (n, t) in (1..).zip(inserts) {
            body += &format!("INSERT INTO t{t} VALUES (ik[{n}], iv[{n}]);\n");
        }
        let sql = format!(
            "CREATE OR REPLACE FUNCTION link{}(rk bytea[], uk bytea[], uv bytea[], \
             ik bytea[], iv bytea[]) RETURNS int LANGUAGE plpgsql AS $$\n\
             DECLARE held bytea;\nBEGIN\n{body}RETURN 1;\nEND $$",
            call.pattern
        );
        client.batch_execute(&sql).await?;
    }
    Ok(defined.len())
}

/// The prepared calls of one connection.
pub async fn prepare(client: &Client, patterns: usize) -> anyhow::Result<Vec<Statement>> {
    let mut statements = Vec::new();
    for pattern in 0..patterns {
        let sql = format!("SELECT link{pattern}($1, $2, $3, $4, $5)");
        statements.push(client.prepare(&sql).await?);
    }
    Ok(statements)
}

/// One sale, one call, one transaction.
pub async fn best(client: &Client, statements: &[Statement], call: &Call) -> anyhow::Result<()> {
    let statement = statements.get(call.pattern).context("a pattern")?;
    let ((uk, uv), (ik, iv)) = (&call.updates, &call.inserts);
    client
        .query_one(statement, &[&call.reads, uk, uv, ik, iv])
        .await?;
    Ok(())
}

/// Statements of one connection by table: read, lock, update, insert.
pub type Words = BTreeMap<u8, [Statement; 4]>;

pub async fn words(client: &Client) -> anyhow::Result<Words> {
    let mut words = Words::new();
    for table in Table::ALL {
        let t = table as u8;
        let get = format!("SELECT v FROM t{t} WHERE k = $1");
        let all = [
            client.prepare(&get).await?,
            client.prepare(&format!("{get} FOR UPDATE")).await?,
            client
                .prepare(&format!("UPDATE t{t} SET v = $2 WHERE k = $1"))
                .await?,
            client
                .prepare(&format!("INSERT INTO t{t} VALUES ($1, $2)"))
                .await?,
        ];
        words.insert(t, all);
    }
    Ok(words)
}

/// One sale, statement by statement.
pub async fn naive(client: &Client, words: &Words, call: &Call) -> anyhow::Result<()> {
    let word = |key: &Key, which: usize| {
        let all = key.first().and_then(|table| words.get(table));
        all.and_then(|all| all.get(which)).context("a table")
    };
    client.batch_execute("BEGIN").await?;
    let ((uk, uv), (ik, iv)) = (&call.updates, &call.inserts);
    for key in uk {
        client.query(word(key, 1)?, &[key]).await?;
    }
    for key in &call.reads {
        client.query(word(key, 0)?, &[key]).await?;
    }
    for (key, value) in uk.iter().zip(uv) {
        client.execute(word(key, 2)?, &[key, value]).await?;
    }
    for (key, value) in ik.iter().zip(iv) {
        client.execute(word(key, 3)?, &[key, value]).await?;
    }
    client.batch_execute("COMMIT").await?;
    Ok(())
}
