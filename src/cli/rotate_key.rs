//! `rotate-key`: the next rotation of the signing key, worked out for the operator: a new key, the configuration that plans
//! the change, and what to do when.

use std::{
    fs::OpenOptions,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::Args;
use serde_json::{Map, Value, json};
use zeroize::Zeroizing;

use super::{
    Output,
    check_config::{self, plugin::PluginDocument},
    failure::Failure,
    generate_key::{self, Bits},
    input,
};
use crate::{
    config::{self, Problem},
    crypto::{
        jws::Algorithm,
        key_ring::{KeyRing, KeyState},
    },
    endpoint::Endpoint,
    time::UnixTime,
};

/// Prepare the rotation of the signing key
///
/// Makes a new private key in a file that only you can read, and prints the signing_keys to
/// paste into the configuration: the new key signs from a moment to come, when the old one
/// ceases to. Keys whose last token has expired are left out. What to do, and until when, is
/// told on standard error.
///
/// CONFIG is read as check-config does. Keys in it must be given as {env: NAME}: one that is
/// written there would have to be printed.
#[derive(Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLE)]
pub(super) struct RotateKey {
    /// The configuration that is in place; - is standard input
    config: PathBuf,
    /// The environment variable that will hold the new key
    #[arg(long, value_name = "NAME", value_parser = variable)]
    env: String,
    /// What the new key is for [default: the same as the old one]
    #[arg(long)]
    algorithm: Option<Algorithm>,
    /// Size of an RSA key [default: 2048]
    #[arg(long)]
    bits: Option<Bits>,
    /// Where to put the new key; nothing is overwritten
    #[arg(long, value_name = "FILE", default_value = "new-key.pem")]
    out: PathBuf,
    /// When the new key begins to sign: 90s, 30m, 1h, 2d from now, and not before lifetimes.jwks
    #[arg(long = "in", value_name = "SPAN", default_value = "1h", value_parser = span)]
    wait: Duration,
}

const EXAMPLE: &str = "\
Example:
  token-endpoint rotate-key envoy.yaml --env SIGNING_KEY_2 --out signing-key-2.pem --in 2h > signing-keys.yaml";

impl RotateKey {
    /// Prints the `signing_keys` that plan the rotation.
    pub(super) fn run(self) -> Result<Output, Failure> {
        let now = input::now();
        let plugin = only(check_config::plugins(&self.config)?)?;
        let document = plugin.configuration.as_ref().map_err(|what| problem(what))?;
        let current = self.parse(&plugin, document, None, now)?;
        let begin = self.begin(&current, now)?;
        let old = current.keys.active(before(begin)).ok_or_else(|| problem("no key signs then"))?;
        let algorithm = self.algorithm.unwrap_or(old.algorithm());
        let mut document: Map<String, Value> = serde_json::from_str(document).map_err(|_| problem("unreadable"))?;
        let mut keys = self.kept(&document, &current.keys, old.kid(), begin, now)?;
        keys.push(json!({"algorithm": algorithm, "private_key": {"env": self.env}, "not_before": begin.to_string()}));
        document.insert("signing_keys".to_owned(), Value::Array(keys.clone()));
        let pem = generate_key::signing_key(algorithm, self.bits)?;
        let planned = self.parse(&plugin, &Value::Object(document).to_string(), Some(&pem), now)?;
        write(&self.out, &pem)?;
        self.explain(&planned, begin)?;
        Ok(Zeroizing::new(yaml(&keys)))
    }

    /// Checks the configuration, in which the new variable stands for the new key where there is one.
    fn parse(
        &self,
        plugin: &PluginDocument,
        document: &str,
        pem: Option<&str>,
        now: UnixTime,
    ) -> Result<Endpoint, Failure> {
        let new = |name: &str| pem.filter(|_| name == self.env).map(str::to_owned);
        let environment = |name: &str| new(name).or_else(|| plugin.variable(name));
        let parsed = config::parse(document.as_bytes(), &environment, now);
        let told = |problems: Vec<Problem>| problems.iter().map(Problem::to_string).collect::<Vec<_>>().join("\n");
        parsed.map(|configuration| configuration.endpoint).map_err(|problems| Failure::Problems(told(problems)))
    }

    /// When the new key begins: once everybody has had the time to fetch it, and after all that is planned already.
    fn begin(&self, current: &Endpoint, now: UnixTime) -> Result<UnixTime, Failure> {
        let begin = now.after(self.wait);
        let is_next = |state| matches!(state, KeyState::Next { .. });
        if self.wait < current.terms.lifetimes.jwks {
            Err(Failure::Usage("--in is less than lifetimes.jwks, for which copies of the keys are kept".to_owned()))
        } else if current.keys.states(before(begin)).any(|(_, state)| is_next(state)) {
            Err(Failure::Bad(
                "a key of the configuration begins to sign later than that: give a longer --in".to_owned(),
            ))
        } else {
            Ok(begin)
        }
    }

    /// The keys that are still of use, as they are written; the old one ends when the new one begins.
    fn kept(
        &self,
        document: &Map<String, Value>,
        ring: &KeyRing,
        old: &str,
        begin: UnixTime,
        now: UnixTime,
    ) -> Result<Vec<Value>, Failure> {
        let written = document.get("signing_keys").and_then(Value::as_array).into_iter().flatten();
        let keys = written.zip(ring.states(now)).enumerate().filter(|(_, (_, (_, state)))| *state != KeyState::Gone);
        let end = |kid| (kid == old).then_some(begin);
        keys.map(|(at, (written, (key, _)))| self.entry(at, written, end(key.kid()))).collect()
    }

    fn entry(&self, at: usize, written: &Value, end: Option<UnixTime>) -> Result<Value, Failure> {
        let mut entry = written.clone();
        match written.get("private_key").and_then(|key| key.get("env")) {
            None => return Err(Failure::Bad(format!("signing_keys[{at}].private_key: {INLINE}"))),
            Some(name) if *name == self.env => {
                return Err(Failure::Usage("--env is another key's variable".to_owned()));
            }
            Some(_) => {}
        }
        if let (Some(fields), Some(end)) = (entry.as_object_mut(), end) {
            fields.insert("not_after".to_owned(), end.to_string().into());
        }
        Ok(entry)
    }

    /// Tells what to do, on standard error, since standard output is for the configuration.
    fn explain(&self, planned: &Endpoint, begin: UnixTime) -> Result<(), Failure> {
        let (file, variable, config) = (self.out.display(), &self.env, self.config.display());
        let kept = planned.terms.lifetimes.jwks.as_secs();
        let loaded = UnixTime(begin.0.saturating_sub(kept));
        let gone = planned.keys.states(begin).filter_map(|(_, state)| gone(state)).max().unwrap_or(begin);
        let new = planned.keys.active(begin).map(|key| key.kid()).unwrap_or_default();
        let steps = format!(
            "The new key is in {file}; its kid is {new}. It signs from {begin} on.\n\
             1. Give its text to every Envoy as the environment variable {variable}, and name that in host_env_keys. A process\n   \
                has the environment that it was started with: start each Envoy anew, one after the other.\n\
             2. Put the signing_keys in the place of those in {config}, and check it with check-config.\n\
             3. Load it into every Envoy before {loaded}: who has fetched the keys from one of them keeps them for {kept} s,\n   \
                and must know the new one in time. Whatever keeps them for longer (cache_duration of jwt_authn) must not.\n\
             4. Nothing is to be done at {begin}. After {gone} all tokens of the old key have expired: it is no longer\n   \
                published, and may be taken out of signing_keys and of the environment."
        );
        writeln!(io::stderr(), "{steps}").map_err(|error| Failure::System(format!("standard error: {error}")))
    }
}

fn gone(state: KeyState) -> Option<UnixTime> {
    match state {
        KeyState::Retired { until } => until,
        KeyState::Next { .. } | KeyState::Active { .. } | KeyState::Gone => None,
    }
}

/// Its place can't be left to be filled in either: what is printed is there to be pasted as it is.
const INLINE: &str = "a key that is written in the configuration, which is never printed: give it as {env: NAME} first";

fn yaml(keys: &[Value]) -> String {
    format!("signing_keys:\n{}", keys.iter().map(|key| format!("- {}\n", flow(key))).collect::<String>())
}

/// JSON's texts in YAML's flow style.
fn flow(value: &Value) -> String {
    let field = |(name, value): (&String, &Value)| format!("{name}: {}", flow(value));
    match value.as_object() {
        Some(fields) => format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", ")),
        None => value.to_string(),
    }
}

fn only(plugins: Vec<PluginDocument>) -> Result<PluginDocument, Failure> {
    let plugins: Vec<_> = plugins.into_iter().filter(|plugin| !holds(plugin)).collect();
    let several = || Failure::Bad("several token endpoints in it: give the configuration of one".to_owned());
    <[PluginDocument; 1]>::try_from(plugins).map(|[plugin]| plugin).map_err(|_| several())
}

/// Whether it only holds requests for a token endpoint in front of it, and so has no keys.
fn holds(plugin: &PluginDocument) -> bool {
    let document = plugin.configuration.as_deref().unwrap_or_default();
    serde_json::from_str::<Map<String, Value>>(document).is_ok_and(|fields| fields.contains_key("hold"))
}

fn problem(what: &str) -> Failure {
    Failure::Problems(format!("configuration: {what}"))
}

/// The last second before a moment.
fn before(moment: UnixTime) -> UnixTime {
    UnixTime(moment.0.saturating_sub(1))
}

/// Writes a new file that only its owner can read.
fn write(path: &Path, pem: &str) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| writeln!(file, "{}", pem.trim_end()));
    written.map_err(|error| Failure::System(format!("{}: {error}", path.display())))
}

fn variable(text: &str) -> Result<String, &'static str> {
    let is_name = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_number = text.bytes().next().is_none_or(|first| first.is_ascii_digit());
    if is_name && !is_number { Ok(text.to_owned()) } else { Err("expected the name of an environment variable") }
}

fn span(text: &str) -> Result<Duration, &'static str> {
    let units = [("s", 1), ("m", 60), ("h", 3600), ("d", 86_400)];
    let read = |(unit, seconds): (&str, u64)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(seconds);
    let seconds = units.into_iter().find_map(read);
    seconds.map(Duration::from_secs).ok_or("expected a span such as 90s, 30m, 1h or 2d")
}
