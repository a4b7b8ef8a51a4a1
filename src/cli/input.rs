//! What the commands take in: secrets typed or piped, files, randomness and the clock.

use std::{
    ffi::OsString,
    io::{self, IsTerminal, Read},
    path::Path,
    time::SystemTime,
};

use clap::Args;
use ct_codecs::{Base64UrlSafeNoPadding as Base64, Encoder};
use zeroize::Zeroizing;

use super::failure::Failure;
use crate::{secret::Secret, time::UnixTime};

/// Takes up the arguments of a command that has none, since clap would repeat a stray one, which is likely a secret.
#[derive(Args)]
pub(super) struct NoArguments {
    #[arg(hide = true, allow_hyphen_values = true, trailing_var_arg = true)]
    stray: Vec<OsString>,
}

impl NoArguments {
    /// Refuses arguments without showing them.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let usage = "unexpected argument; a secret is typed or piped in, since other users and the shell's history see \
                     the command line (try --help)";
        if self.stray.is_empty() { Ok(()) } else { Err(Failure::Usage(usage.to_owned())) }
    }
}

/// A secret: typed twice without echo or, where standard input is no terminal, its one line.
pub(super) fn secret(name: &str) -> Result<Secret, Failure> {
    let secret = if io::stdin().is_terminal() { typed(name)? } else { piped(name)? };
    match secret.expose() {
        [] => Err(Failure::Bad(format!("the {name} is empty"))),
        bytes if str::from_utf8(bytes).is_err() => {
            Err(Failure::Bad(format!("the {name} is not UTF-8, so that no login could ever match it")))
        }
        _ => Ok(secret),
    }
}

/// The text of a file, or of standard input for `-`.
pub(super) fn file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let text = if path == Path::new("-") { io::read_to_string(io::stdin()) } else { std::fs::read_to_string(path) };
    text.map(Zeroizing::new).map_err(|error| Failure::System(format!("{}: {error}", path.display())))
}

/// Fresh bytes from the operating system.
pub(super) fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, Failure> {
    let mut bytes = Zeroizing::new([0; N]);
    let filled = getrandom::fill(&mut bytes[..]);
    filled.map(|()| bytes).map_err(|error| Failure::System(format!("no randomness: {error}")))
}

/// 32 fresh bytes in base64url.
pub(super) fn random_text() -> Result<Zeroizing<String>, Failure> {
    let text = Base64::encode_to_string(&random::<32>()?[..]);
    text.map(Zeroizing::new).map_err(|error| Failure::System(error.to_string()))
}

/// The system's clock.
pub(super) fn now() -> UnixTime {
    SystemTime::now().into()
}

fn typed(name: &str) -> Result<Secret, Failure> {
    let ask = |prompt| {
        let typed = rpassword::prompt_password(prompt).map(Secret::new);
        typed.map_err(|error| Failure::System(format!("terminal: {error}")))
    };
    let first = ask(format!("The {name}: "))?;
    let again = ask(format!("The {name} again: "))?;
    if first == again { Ok(first) } else { Err(Failure::Bad("the two are not the same".to_owned())) }
}

/// More than any login request can hold.
const LONGEST: usize = 16 * 1024;

fn piped(name: &str) -> Result<Secret, Failure> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(LONGEST + 1));
    let read = io::stdin().lock().take(LONGEST as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| Failure::System(format!("standard input: {error}")))?;
    let line = one_line(&bytes);
    if line.len() > LONGEST || line.contains(&b'\n') {
        return Err(Failure::Bad(format!("expected the {name} as the one line of standard input")));
    }
    Ok(Secret::new(line))
}

fn one_line(bytes: &[u8]) -> &[u8] {
    let line = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_line_ending_is_cut() {
        assert_eq!(one_line(b"word\n"), b"word");
        assert_eq!(one_line(b"word\r\n"), b"word");
        assert_eq!(one_line(b" two words "), b" two words ");
        assert_eq!(one_line(b"word\n\n"), b"word\n");
        assert_eq!(one_line(b"\n"), b"");
    }
}
