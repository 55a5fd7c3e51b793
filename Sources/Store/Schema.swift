// SPDX-License-Identifier: Apache-2.0
import Bytes

/// The tables. Records that must never change are guarded by triggers, what must happen once by
/// unique indexes: the policy decides, the database makes sure.
enum Schema {
    /// `Drag` in ASCII: another program's database is not opened by mistake.
    static let applicationID: Int64 = 0x4472_6167
    /// `Drab`: the file of a closed period.
    static let closedApplicationID: Int64 = 0x4472_6162
    /// Raised with every change of the tables.
    static let version: Int64 = 2

    /// Settings of every connection (Spec/decisions/0002): durable at each commit, one writer, and
    /// checkpoints only when that writer says so.
    static let settings = """
        PRAGMA page_size = 8192;
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = FULL;
        PRAGMA foreign_keys = ON;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA cache_size = -65536;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA journal_size_limit = 67108864;
        PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        """

    /// Settings of a connection that only reads.
    static let readerSettings = """
        PRAGMA query_only = ON;
        PRAGMA wal_autocheckpoint = 0;
        PRAGMA mmap_size = 0;
        PRAGMA trusted_schema = OFF;
        """

    /// Settings under which the file of a closed period is written, once.
    static let closedSettings = """
        PRAGMA page_size = 8192;
        PRAGMA journal_mode = DELETE;
        PRAGMA synchronous = EXTRA;
        PRAGMA foreign_keys = ON;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA trusted_schema = OFF;
        """

    /// Makes or checks the tables of a fresh connection.
    ///
    /// - Parameter isUnclean: The last process that wrote it did not close it: SQLite has replayed
    ///   its log, and every page is looked at once.
    static func prepare(_ database: Database, isUnclean: Bool) throws(StorageFault) {
        try database.execute(settings)
        let id = try database.number("PRAGMA application_id") ?? 0
        let found = try database.number("PRAGMA user_version") ?? 0
        if id == 0, found == 0 {
            guard try database.number("SELECT count(*) FROM sqlite_schema") == 0 else {
                throw .corrupt("not a database of this program")
            }
            try database.execute("BEGIN IMMEDIATE")
            try database.execute(tasks + consent + books + draws + guards + periods + operators)
            try database.execute(
                "PRAGMA application_id = \(applicationID); PRAGMA user_version = \(version);")
            try database.execute("COMMIT")
            return
        }
        guard id == applicationID else { throw .corrupt("not a database of this program") }
        guard found == version else {
            throw .corrupt("tables of version \(found), this program knows \(version)")
        }
        if isUnclean { try check(database) }
    }

    /// Looks at the form of every page.
    static func check(_ database: Database) throws(StorageFault) {
        let words = try database.run("PRAGMA quick_check(1)") { $0.text(0) }.first
        guard words == "ok" else { throw .corrupt("quick_check: \(words ?? "no answer")") }
    }

    private static let tasks = """
        CREATE TABLE meta(name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TABLE sequence(
            name TEXT PRIMARY KEY, value INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE task(
            id TEXT PRIMARY KEY, context TEXT NOT NULL, party TEXT NOT NULL, user TEXT NOT NULL,
            agent TEXT NOT NULL, route TEXT NOT NULL, upstream TEXT NOT NULL,
            upstream_context TEXT, exchange TEXT NOT NULL, created INTEGER NOT NULL,
            updated INTEGER NOT NULL, state TEXT NOT NULL, snapshot BLOB, undertaking BLOB,
            certificate TEXT, revision INTEGER NOT NULL, due INTEGER, question TEXT
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX task_upstream ON task(route, agent, upstream);
        CREATE INDEX task_owner ON task(party, user, agent, updated DESC, id);
        CREATE INDEX task_exchange ON task(exchange);
        CREATE INDEX task_due ON task(due, id) WHERE due IS NOT NULL;
        CREATE INDEX task_asking ON task(party, due DESC, id) WHERE question IS NOT NULL;
        CREATE UNIQUE INDEX task_question ON task(question) WHERE question IS NOT NULL;
        CREATE TRIGGER task_owner_stays
            BEFORE UPDATE OF id, party, user, agent, route, upstream ON task
            BEGIN SELECT RAISE(ABORT, 'a task keeps its owner'); END;
        CREATE TRIGGER task_ends_once BEFORE UPDATE OF state ON task
            WHEN OLD.state IN ('TASK_STATE_COMPLETED', 'TASK_STATE_FAILED', 'TASK_STATE_CANCELED',
            'TASK_STATE_REJECTED') AND NEW.state <> OLD.state
            BEGIN SELECT RAISE(ABORT, 'a task ends once'); END;
        CREATE TABLE outbox(
            seq INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, item BLOB NOT NULL,
            due INTEGER NOT NULL, tries INTEGER NOT NULL, since INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX outbox_due ON outbox(due);

        """

    private static let consent = """
        CREATE TABLE act(
            holder TEXT NOT NULL, id TEXT NOT NULL, hash TEXT NOT NULL, root TEXT NOT NULL,
            committed INTEGER NOT NULL, retained INTEGER NOT NULL, result BLOB,
            PRIMARY KEY(holder, id)
        ) STRICT, WITHOUT ROWID;
        CREATE UNIQUE INDEX act_hash ON act(holder, hash);
        CREATE TABLE ask(
            nonce TEXT PRIMARY KEY, root TEXT NOT NULL, entry TEXT NOT NULL, terms TEXT NOT NULL,
            expires INTEGER NOT NULL, retained INTEGER NOT NULL, closed INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE used_confirmation(
            issuer TEXT NOT NULL, id TEXT NOT NULL, retained INTEGER NOT NULL,
            PRIMARY KEY(issuer, id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE slice(
            root TEXT NOT NULL, entry TEXT NOT NULL, lower INTEGER NOT NULL,
            upper INTEGER NOT NULL, act TEXT NOT NULL, retained INTEGER NOT NULL,
            PRIMARY KEY(root, entry, lower)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE counter(
            book TEXT NOT NULL, root TEXT NOT NULL, link TEXT NOT NULL, entry TEXT NOT NULL,
            spent INTEGER NOT NULL CHECK(spent >= 0), uses INTEGER NOT NULL CHECK(uses >= 0),
            retained INTEGER NOT NULL, PRIMARY KEY(book, root, link, entry)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE reservation(
            chain TEXT NOT NULL, entry TEXT NOT NULL, act TEXT NOT NULL, audience TEXT NOT NULL,
            value INTEGER NOT NULL, currency TEXT NOT NULL, id TEXT NOT NULL,
            seq INTEGER NOT NULL UNIQUE, root TEXT NOT NULL, holder TEXT NOT NULL,
            charges BLOB NOT NULL, issued INTEGER NOT NULL, expires INTEGER NOT NULL,
            retained INTEGER NOT NULL, state TEXT NOT NULL,
            charged INTEGER NOT NULL CHECK(charged >= 0),
            PRIMARY KEY(chain, entry, act, audience, value, currency)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX reservation_act ON reservation(act, audience);

        """

    /// The records of the books. A file of a closed period has these tables, too.
    static let books = """
        CREATE TABLE account(
            id INTEGER PRIMARY KEY, peer TEXT NOT NULL, code TEXT NOT NULL, ccy TEXT NOT NULL,
            dr_pend INTEGER NOT NULL DEFAULT 0 CHECK(dr_pend >= 0),
            dr_post INTEGER NOT NULL DEFAULT 0 CHECK(dr_post >= 0),
            cr_pend INTEGER NOT NULL DEFAULT 0 CHECK(cr_pend >= 0),
            cr_post INTEGER NOT NULL DEFAULT 0 CHECK(cr_post >= 0),
            lim INTEGER, debit_normal INTEGER NOT NULL, UNIQUE(peer, code, ccy)
        ) STRICT;
        CREATE TABLE posting(
            seq INTEGER PRIMARY KEY AUTOINCREMENT, peer TEXT NOT NULL, op TEXT NOT NULL,
            idx INTEGER NOT NULL, kind TEXT NOT NULL, resolves_op TEXT, resolves_idx INTEGER,
            dr INTEGER NOT NULL REFERENCES account, cr INTEGER NOT NULL REFERENCES account,
            amount INTEGER NOT NULL CHECK(amount >= 0), booked INTEGER NOT NULL,
            CHECK(dr <> cr), UNIQUE(peer, op, idx)
        ) STRICT;
        CREATE UNIQUE INDEX posting_once ON posting(peer, resolves_op, resolves_idx)
            WHERE resolves_op IS NOT NULL;
        CREATE TABLE hold(
            peer TEXT NOT NULL, op TEXT NOT NULL, side TEXT NOT NULL, kind TEXT NOT NULL,
            exchange TEXT, tariff TEXT NOT NULL, quote TEXT NOT NULL, ccy TEXT NOT NULL,
            charge INTEGER NOT NULL, commission INTEGER NOT NULL, sale INTEGER NOT NULL,
            placed INTEGER NOT NULL, post_by INTEGER NOT NULL, state TEXT NOT NULL,
            res_op TEXT, res_at INTEGER, res_charge INTEGER, res_commission INTEGER,
            res_sale INTEGER, PRIMARY KEY(peer, op)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX hold_overdue ON hold(post_by, peer, op) WHERE state = 'pending';
        CREATE INDEX hold_exchange ON hold(exchange) WHERE exchange IS NOT NULL;
        CREATE INDEX hold_pending ON hold(peer, ccy, op) WHERE state = 'pending';
        CREATE TABLE outcome(
            peer TEXT NOT NULL, op TEXT NOT NULL, request TEXT NOT NULL, hold TEXT,
            refusal TEXT, forget_after INTEGER NOT NULL, PRIMARY KEY(peer, op)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX outcome_old ON outcome(forget_after);
        CREATE TABLE tariff(
            name TEXT PRIMARY KEY, peer TEXT NOT NULL, agreement TEXT NOT NULL,
            version INTEGER NOT NULL, body BLOB NOT NULL, tokens BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE hop(
            seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
            peer TEXT NOT NULL, post TEXT NOT NULL, exchange TEXT,
            record TEXT NOT NULL, ack TEXT, UNIQUE(peer, post)
        ) STRICT;
        CREATE INDEX hop_exchange ON hop(exchange);
        CREATE TABLE line(
            peer TEXT NOT NULL, op TEXT NOT NULL, name TEXT NOT NULL, kind TEXT NOT NULL,
            exchange TEXT, basis INTEGER, ccy TEXT NOT NULL, amount INTEGER NOT NULL,
            owed_to_us INTEGER NOT NULL, booked INTEGER NOT NULL, tariff TEXT, calls INTEGER,
            PRIMARY KEY(peer, op, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX line_booked ON line(peer, ccy, booked, op, name);
        CREATE TABLE total(
            seq INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
            exchange TEXT NOT NULL, record TEXT NOT NULL, key BLOB NOT NULL, ccy TEXT NOT NULL,
            paid INTEGER NOT NULL, consented INTEGER NOT NULL, booked INTEGER NOT NULL,
            CHECK(paid <= consented)
        ) STRICT;
        CREATE INDEX total_exchange ON total(exchange);
        CREATE TABLE block(
            peer TEXT NOT NULL, hold TEXT NOT NULL, opening TEXT NOT NULL,
            calls INTEGER NOT NULL, ccy TEXT NOT NULL, amount INTEGER NOT NULL,
            highest INTEGER NOT NULL, whole INTEGER NOT NULL, PRIMARY KEY(peer, hold)
        ) STRICT, WITHOUT ROWID;

        """

    /// Which task drew which fee on a block: kept for people's questions until the block is put
    /// away with its period. What is owed for all of them together is in the books.
    private static let draws = """
        CREATE TABLE draw(
            peer TEXT NOT NULL, block TEXT NOT NULL, number INTEGER NOT NULL,
            exchange TEXT NOT NULL, task TEXT, state TEXT NOT NULL, at INTEGER NOT NULL,
            PRIMARY KEY(peer, block, number)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX draw_exchange ON draw(exchange);

        """

    /// What may never happen to the books, whatever the ledger decides. Only the closing of a
    /// period removes records, and only those that are finished and older than its end: while it
    /// does, the table `closing` has a row.
    private static let guards = """
        CREATE TRIGGER account_stays
            BEFORE UPDATE OF id, peer, code, ccy, debit_normal ON account
            BEGIN SELECT RAISE(ABORT, 'an account keeps its name'); END;
        CREATE TRIGGER account_rises BEFORE UPDATE OF dr_post, cr_post ON account
            WHEN NEW.dr_post < OLD.dr_post OR NEW.cr_post < OLD.cr_post
            BEGIN SELECT RAISE(ABORT, 'posted columns never fall'); END;
        CREATE TRIGGER account_remains BEFORE DELETE ON account
            BEGIN SELECT RAISE(ABORT, 'accounts are never removed'); END;
        CREATE TRIGGER posting_stays BEFORE UPDATE ON posting
            BEGIN SELECT RAISE(ABORT, 'postings are never changed'); END;
        CREATE TRIGGER posting_remains BEFORE DELETE ON posting
            WHEN NOT EXISTS(SELECT 1 FROM closing WHERE OLD.booked < until)
            BEGIN SELECT RAISE(ABORT, 'postings are never removed'); END;
        CREATE TRIGGER hold_ends_once BEFORE UPDATE ON hold WHEN OLD.state <> 'pending'
            BEGIN SELECT RAISE(ABORT, 'a hold ends once'); END;
        CREATE TRIGGER hold_stays
            BEFORE UPDATE OF peer, op, side, kind, exchange, tariff, quote, ccy, charge,
            commission, sale, placed, post_by ON hold
            BEGIN SELECT RAISE(ABORT, 'a hold keeps its terms'); END;
        CREATE TRIGGER hold_remains BEFORE DELETE ON hold
            WHEN OLD.state = 'pending'
            OR NOT EXISTS(SELECT 1 FROM closing WHERE OLD.res_at < until)
            BEGIN SELECT RAISE(ABORT, 'holds are never removed'); END;
        CREATE TRIGGER tariff_stays BEFORE UPDATE ON tariff
            BEGIN SELECT RAISE(ABORT, 'tariffs are never changed'); END;
        CREATE TRIGGER tariff_remains BEFORE DELETE ON tariff
            BEGIN SELECT RAISE(ABORT, 'tariffs are never removed'); END;
        CREATE TRIGGER hop_stays BEFORE UPDATE OF seq, name, peer, post, exchange, record ON hop
            BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
        CREATE TRIGGER hop_acknowledged_once BEFORE UPDATE OF ack ON hop
            WHEN OLD.ack IS NOT NULL
            BEGIN SELECT RAISE(ABORT, 'the first acknowledgement stays'); END;
        CREATE TRIGGER hop_remains BEFORE DELETE ON hop
            WHEN OLD.ack IS NULL OR NOT EXISTS(SELECT 1 FROM closing)
            BEGIN SELECT RAISE(ABORT, 'records are never removed'); END;
        CREATE TRIGGER total_stays BEFORE UPDATE ON total
            BEGIN SELECT RAISE(ABORT, 'records are never changed'); END;
        CREATE TRIGGER total_remains BEFORE DELETE ON total
            WHEN NOT EXISTS(SELECT 1 FROM closing WHERE OLD.booked < until)
            BEGIN SELECT RAISE(ABORT, 'records are never removed'); END;
        CREATE TRIGGER line_stays BEFORE UPDATE ON line
            BEGIN SELECT RAISE(ABORT, 'statement lines are never changed'); END;
        CREATE TRIGGER line_remains BEFORE DELETE ON line
            WHEN NOT EXISTS(SELECT 1 FROM closing WHERE OLD.booked < until)
            BEGIN SELECT RAISE(ABORT, 'statement lines are never removed'); END;
        CREATE TRIGGER line_in_time BEFORE INSERT ON line
            WHEN NEW.booked < (SELECT max(until) FROM period)
            BEGIN SELECT RAISE(ABORT, 'the period is closed'); END;

        """

    /// The closed periods, each in a file of its own (Spec/decisions/0006), and the sums of all
    /// that lies in the files up to each of them.
    private static let periods = """
        CREATE TABLE closing(until INTEGER NOT NULL) STRICT;
        CREATE TABLE period(
            name TEXT PRIMARY KEY, until INTEGER NOT NULL UNIQUE, closed INTEGER NOT NULL,
            postings INTEGER NOT NULL, lines INTEGER NOT NULL, line_first INTEGER,
            line_last INTEGER
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE carried_account(
            until INTEGER NOT NULL, account INTEGER NOT NULL, dr_post INTEGER NOT NULL,
            cr_post INTEGER NOT NULL, PRIMARY KEY(until, account)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE carried_line(
            until INTEGER NOT NULL, peer TEXT NOT NULL, ccy TEXT NOT NULL,
            balance INTEGER NOT NULL, PRIMARY KEY(until, peer, ccy)
        ) STRICT, WITHOUT ROWID;
        CREATE TRIGGER period_stays BEFORE UPDATE ON period
            BEGIN SELECT RAISE(ABORT, 'a closed period stays'); END;
        CREATE TRIGGER period_remains BEFORE DELETE ON period
            BEGIN SELECT RAISE(ABORT, 'a closed period stays'); END;

        """
}
