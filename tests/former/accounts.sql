BEGIN TRANSACTION;
CREATE TABLE accounts (
	id TEXT NOT NULL, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	agent TEXT, 
	teams JSON NOT NULL, 
	language TEXT, 
	password TEXT NOT NULL, 
	must_change BOOLEAN NOT NULL, 
	disabled BOOLEAN NOT NULL, 
	made_ms BIGINT NOT NULL, 
	changed_ms BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "accounts" VALUES('ana','Ana Ejemplo','admin',NULL,'[]',NULL,'$argon2id$v=19$m=32768,t=3,p=1$jw6KSDtqXQlBEwj5n12zTw$rbcf3H1KeiRwolIXiybEOIlm7gFfzkwIMePUzr8/T4E',0,0,1795000000000,1795000000000);
INSERT INTO "accounts" VALUES('sol','Sol Ejemplo','supervisor',NULL,'["ventas"]',NULL,'$argon2id$v=19$m=32768,t=3,p=1$SLtCM3rkJ1rxBLY/WUt/Bw$M41R29OhY5wNDHjrepiUafAFkrotGl64UNyMDxH0IsA',0,0,1795000000000,1795000000000);
CREATE TABLE answers (
	id TEXT NOT NULL, 
	request TEXT NOT NULL, 
	at_ms BIGINT NOT NULL, 
	sealed BLOB NOT NULL, 
	PRIMARY KEY (id)
);
CREATE TABLE attempts (
	"key" TEXT NOT NULL, 
	failed INTEGER NOT NULL, 
	last_ms BIGINT NOT NULL, 
	before_ms BIGINT NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE audit (
	number INTEGER NOT NULL, 
	at_ms BIGINT NOT NULL, 
	who TEXT NOT NULL, 
	role TEXT NOT NULL, 
	what TEXT NOT NULL, 
	agents JSON NOT NULL, 
	detail JSON NOT NULL, 
	address TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (number)
);
INSERT INTO "audit" VALUES(1,1795000000000,'ana','admin','accounts.add','[]','{"account": "ana", "name": "Ana Ejemplo", "role": "admin", "agent": null, "teams": []}','','bb9eda166f2cd199b2eee6f66ae0e388121fecd97da71b7f91a465df15ce1ac7');
INSERT INTO "audit" VALUES(2,1795000000000,'ana','admin','accounts.add','[]','{"account": "sol", "name": "Sol Ejemplo", "role": "supervisor", "agent": null, "teams": ["ventas"]}','','bf5472976ad268cfe6146d4e40118d526b890c6463341a905752a87c271a1403');
CREATE TABLE codes (
	hash TEXT NOT NULL, 
	account TEXT NOT NULL, 
	until_ms BIGINT NOT NULL, 
	PRIMARY KEY (hash)
);
CREATE TABLE record_heads (
	ledger TEXT NOT NULL, 
	count BIGINT NOT NULL, 
	hash TEXT NOT NULL, 
	utc BIGINT NOT NULL, 
	seal TEXT NOT NULL, 
	PRIMARY KEY (ledger)
);
CREATE TABLE sessions (
	hash TEXT NOT NULL, 
	account TEXT NOT NULL, 
	made_ms BIGINT NOT NULL, 
	seen_ms BIGINT NOT NULL, 
	until_ms BIGINT NOT NULL, 
	address TEXT NOT NULL, 
	browser TEXT NOT NULL, 
	PRIMARY KEY (hash)
);
CREATE TABLE tokens (
	number INTEGER NOT NULL, 
	hash TEXT NOT NULL, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	teams JSON NOT NULL, 
	"by" TEXT NOT NULL, 
	made_ms BIGINT NOT NULL, 
	until_ms BIGINT NOT NULL, 
	revoked_ms BIGINT, 
	PRIMARY KEY (number), 
	UNIQUE (hash)
);
CREATE INDEX sessions_account ON sessions (account);
CREATE INDEX answers_at ON answers (at_ms);
CREATE INDEX audit_who ON audit (who, at_ms);
CREATE INDEX audit_at ON audit (at_ms);
COMMIT;
PRAGMA user_version=1;
PRAGMA application_id=0;
