//! A filter that does the two expensive parts of a login, and nothing else, while the request waits: what `logins.py`
//! measures against, on the same worker thread as the logins.
#![cfg(target_family = "wasm")]
#![allow(
    dead_code,
    unused_imports,
    reason = "a program, not an interface; the parts of the library that it does not need"
)]

use std::{cell::RefCell, rc::Rc, sync::Arc, time::Instant};

use proxy_wasm::{
    hostcalls,
    traits::{Context, HttpContext, RootContext},
    types::{Action, ContextType},
};

// By their source: the library can't be linked here, since it is a filter itself.
#[path = "../../src/crypto/mod.rs"]
mod crypto;
#[path = "../../src/secret.rs"]
mod secret;
#[path = "../../src/time.rs"]
mod time;

use crypto::{
    jws::{Algorithm, SigningKey},
    password::{Arena, Budget, PasswordCheck, PasswordHash},
};
use secret::Secret;

proxy_wasm::main! {{
    proxy_wasm::set_root_context(|_| Box::new(Root(Rc::default())));
}}

struct Root(Rc<RefCell<Option<Probe>>>);

struct Stream(Rc<RefCell<Option<Probe>>>);

struct Probe {
    hash: Arc<PasswordHash>,
    arena: Arena,
    key: SigningKey,
}

impl Probe {
    /// The plugin's configuration is a password hash; the key comes from where the token endpoint's comes from.
    fn new(configuration: &[u8]) -> Self {
        let pem = std::env::var("TOKEN_ENDPOINT_SIGNING_KEY").unwrap();
        Self {
            hash: Arc::new(PasswordHash::parse(std::str::from_utf8(configuration).unwrap()).unwrap()),
            arena: Arena::default(),
            key: SigningKey::from_pem(Algorithm::RS256, &pem, None).unwrap(),
        }
    }

    fn check(&mut self) {
        let check = PasswordCheck::new(self.hash.clone(), Secret::new(*b"MOCK_PASSWORD"));
        let mut verification = check.start(std::mem::take(&mut self.arena));
        let _ = verification.advance(Budget::UNLIMITED);
        self.arena = verification.into_arena();
    }

    /// Envoy's foreign function `sign`, on as many bytes as a token has.
    fn sign(&self) {
        let mut arguments = Vec::new();
        for (field, value) in [(1, &b"sha256"[..]), (2, self.key.rsa_der().unwrap()), (3, &[b'.'; 600])] {
            arguments.push(field << 3 | 2);
            arguments.extend([value.len() as u8 | 0x80, (value.len() >> 7) as u8]);
            arguments.extend_from_slice(value);
        }
        let answer = hostcalls::call_foreign_function("sign", Some(&arguments)).unwrap().unwrap();
        assert!(answer.len() > 256);
    }
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        *self.0.borrow_mut() = Some(Probe::new(&self.get_plugin_configuration().unwrap()));
        true
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(Box::new(Stream(self.0.clone())))
    }
}

impl Context for Stream {}

impl HttpContext for Stream {
    /// Answers with the seconds that a check and a signature took.
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let mut probe = self.0.borrow_mut();
        let probe = probe.as_mut().unwrap();
        let start = Instant::now();
        probe.check();
        let checked = Instant::now();
        probe.sign();
        let times = format!("[{}, {}]", (checked - start).as_secs_f64(), checked.elapsed().as_secs_f64());
        self.send_http_response(200, vec![], Some(times.as_bytes()));
        Action::Pause
    }
}
