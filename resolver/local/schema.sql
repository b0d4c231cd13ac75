-- The embedded service's whole memory. One file, one writer, any number of readers (WAL).
-- `seq` is an order of creation and is never reused: pages and history hang on it.
CREATE TABLE meta (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE domain (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE,
  settings TEXT NOT NULL,                   -- JSON: the members of CreateDomain that are not listed here
  created_at REAL NOT NULL,                 -- epoch seconds, everywhere in this file
  updated_at REAL NOT NULL,
  matching_since REAL,                      -- when matching was last switched on; null while it is off
  profile_count INTEGER NOT NULL DEFAULT 0, -- kept by the writer: counting a million rows is no answer to GetDomain
  object_count INTEGER NOT NULL DEFAULT 0,
  total_size INTEGER NOT NULL DEFAULT 0     -- bytes of stored JSON
) STRICT;

CREATE TABLE profile (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  domain INTEGER NOT NULL,
  profile_id TEXT NOT NULL,
  fields TEXT NOT NULL,                     -- JSON: the API's members but ProfileId, nothing empty
  sources TEXT,                             -- JSON: field path -> object type that wrote it; absent = written through the API
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  object_count INTEGER NOT NULL DEFAULT 0,
  object_bytes INTEGER NOT NULL DEFAULT 0   -- of the objects' bodies: nobody counts 50 MiB at every write
) STRICT;
CREATE UNIQUE INDEX profile_by_id ON profile (domain, profile_id);
CREATE INDEX profile_with_many_objects ON profile (domain, object_count) WHERE object_count > 100;

-- Ids that once were profiles and are none now: history outlives the profile, and a merged id may be asked for.
CREATE TABLE former_profile (
  domain INTEGER NOT NULL,
  profile_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  survivor TEXT,                            -- the profile id it ended in, through any number of merges; null: deleted
  PRIMARY KEY (domain, profile_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX former_by_survivor ON former_profile (domain, survivor) WHERE survivor IS NOT NULL;

-- The search index. Rows of origin 0 derive from the profile's fields, -1 were given by AddProfileKey, -2 are what a
-- merge made of the keys of profiles and objects that it ended, positive ones come from the object of that seq.
-- The primary key is the order of a search's pages.
CREATE TABLE profile_key (
  domain INTEGER NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,                      -- normalised by the key's content type
  profile INTEGER NOT NULL,
  origin INTEGER NOT NULL,
  types TEXT NOT NULL DEFAULT '',           -- of origin -2: JSON, the object types that the value goes with, if any
  PRIMARY KEY (domain, name, value, profile, origin, types)
) STRICT, WITHOUT ROWID;
-- Derived rows are recomputed from the fields and need no way back.
CREATE INDEX given_key_by_profile ON profile_key (profile) WHERE origin <> 0;
CREATE INDEX merged_key_with_types ON profile_key (domain) WHERE types <> '';

CREATE TABLE object_type (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  domain INTEGER NOT NULL,
  name TEXT NOT NULL,
  definition TEXT NOT NULL,                 -- JSON: the members of PutProfileObjectType
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL,
  UNIQUE (domain, name)
) STRICT;

-- Which object types define a search key, and with what content type: the domain's namespace of keys.
CREATE TABLE key_name (
  domain INTEGER NOT NULL,
  name TEXT NOT NULL,
  object_type TEXT NOT NULL,
  content_types TEXT NOT NULL,              -- JSON: the content types of the key's fields, in order
  PRIMARY KEY (domain, name, object_type)
) STRICT, WITHOUT ROWID;

CREATE TABLE object (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  domain INTEGER NOT NULL,
  profile INTEGER NOT NULL,
  object_type TEXT NOT NULL,
  unique_key TEXT NOT NULL,
  body TEXT NOT NULL,
  ingested_at REAL NOT NULL,
  expires_at REAL NOT NULL
) STRICT;
CREATE UNIQUE INDEX object_in_profile ON object (profile, object_type, unique_key);
CREATE INDEX object_by_type ON object (domain, object_type);
CREATE INDEX object_by_expiry ON object (expires_at);

-- Accepted, not yet matched to a profile (the consistency delay).
CREATE TABLE pending_object (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  domain INTEGER NOT NULL,
  object_type TEXT NOT NULL,
  body TEXT NOT NULL,
  due_at REAL NOT NULL
) STRICT;

-- Objects that found no profile: what the service would send to the domain's dead-letter queue.
CREATE TABLE dead_letter (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  domain INTEGER NOT NULL,
  object_type TEXT NOT NULL,
  body TEXT NOT NULL,
  reason TEXT NOT NULL,
  at REAL NOT NULL
) STRICT;

CREATE TABLE history (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  domain INTEGER NOT NULL,
  profile INTEGER NOT NULL,
  record_id TEXT NOT NULL,
  action TEXT NOT NULL,
  object_type TEXT NOT NULL,
  unique_key TEXT,
  content TEXT,
  at REAL NOT NULL
) STRICT;
CREATE INDEX history_of_profile ON history (profile, seq);

CREATE TABLE identity_job (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  domain INTEGER NOT NULL,
  job_id TEXT NOT NULL,
  started_at REAL NOT NULL,
  ended_at REAL NOT NULL,
  facts TEXT NOT NULL,                      -- JSON: counts and settings of the run
  UNIQUE (domain, job_id)
) STRICT;

-- Groups of the last run only; frozen until the next one, stale after merges.
CREATE TABLE match_group (
  domain INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  match_id TEXT NOT NULL,
  confidence REAL NOT NULL,
  PRIMARY KEY (domain, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE match_member (
  domain INTEGER NOT NULL,
  match_group INTEGER NOT NULL,
  position INTEGER NOT NULL,
  profile_id TEXT NOT NULL,
  PRIMARY KEY (domain, match_group, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX match_by_profile ON match_member (domain, profile_id);

CREATE TABLE integration (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  domain INTEGER NOT NULL,
  uri TEXT NOT NULL UNIQUE,                 -- an integration belongs to one domain of the account
  settings TEXT NOT NULL,
  created_at REAL NOT NULL,
  updated_at REAL NOT NULL
) STRICT;
CREATE INDEX integration_by_domain ON integration (domain, seq);

CREATE TABLE tag (
  resource TEXT NOT NULL,                   -- the ARN's tail: domains/D, domains/D/object-types/T, domains/D/integrations/U
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (resource, name)
) STRICT, WITHOUT ROWID;
