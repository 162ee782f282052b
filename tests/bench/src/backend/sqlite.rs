//! SQLite beside us: the same rows in a table for each of ours, WAL, `synchronous=FULL`.

use std::path::Path;

use anyhow::Context as _;
use counterfoil_backend::core::key::{self, Table};
use counterfoil_backend::store::{Read, each_row};
use rusqlite::{Connection, params};

use super::recorded::{Recorded, tagged};

/// A connection to books that hold every row of these.
pub fn books(path: &Path, read: &dyn Read) -> anyhow::Result<Connection> {
    let mut books = Connection::open(path)?;
    books.pragma_update(None, "journal_mode", "WAL")?;
    books.pragma_update(None, "synchronous", "FULL")?;
    // As much as our own cache, in KiB.
    books.pragma_update(None, "cache_size", -(super::CACHE_MIB * 1_024))?;
    books.set_prepared_statement_cache_capacity(512);
    let fill = books.transaction()?;
    for table in Table::ALL {
        let name = table as u8;
        fill.execute_batch(&format!(
            "CREATE TABLE t{name} (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID"
        ))?;
        let mut put = fill.prepare(&format!("INSERT INTO t{name} VALUES (?1, ?2)"))?;
        each_row(read, key::low(table), &key::high(table), |k, v| {
            put.execute(params![k, v])
                .map(|_| ())
                .map_err(anyhow::Error::from)
        })?;
    }
    fill.commit()?;
    Ok(books)
}

/// The linked processing of these sales: what is read is read, what is written is written;
/// all in one transaction. Each has a number of its own for its new rows.
pub fn link(books: &mut Connection, sales: &[(u64, Recorded)]) -> anyhow::Result<()> {
    let work = books.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    for (own, sale) in sales {
        for key in &sale.reads {
            let table = key.first().context("a key")?;
            let mut get = work.prepare_cached(&format!("SELECT v FROM t{table} WHERE k = ?1"))?;
            let mut rows = get.query(params![key])?;
            while let Some(row) = rows.next()? {
                let _: Vec<u8> = row.get(0)?;
            }
        }
        for (key, value) in &sale.updates {
            put(&work, key, value)?;
        }
        for (key, value) in &sale.inserts {
            put(&work, &tagged(key, *own), value)?;
        }
    }
    work.commit()?;
    Ok(())
}

fn put(work: &rusqlite::Transaction<'_>, key: &[u8], value: &[u8]) -> anyhow::Result<()> {
    let table = key.first().context("a key")?;
    let sql = format!("INSERT OR REPLACE INTO t{table} VALUES (?1, ?2)");
    work.prepare_cached(&sql)?.execute(params![key, value])?;
    Ok(())
}
