// The page: what is shown when, and what is said of it.
import { callService, claimsOf, logIn, Refusal, renew, revoke } from "./gateway.js";

// Tokens are kept in this variable and nowhere else: a script that gets into some other page of this origin, now or later,
// finds none in the browser's storage, and closing the page ends the session here.
let session = null;
let acting = null;
let waiting = 0;

const RENEW_BEFORE_S = 30;
const MOST_S_BETWEEN_TRIES = 60;

const at = (id) => document.getElementById(id);
const form = at("login-form");
const seconds = () => Date.now() / 1000;

const WORDS = {
  wrong: ["That didn’t match", "The user name or the password is wrong. Check both and try again."],
  locked: ["This account can’t log in", "It is locked or was switched off. Please ask your administrator to look into it."],
  identifier: ["That kind of name doesn’t work here", "Use your user name or your phone number, not an e-mail address."],
  limited: ["Too many attempts", "To protect the account, there is a pause before the next try."],
  busy: ["The service is busy", "Nothing is wrong with what you entered. Please try again in a moment."],
  ended: ["Your session has ended", "Please log in again."],
  unreachable: [
    "The gateway didn’t answer",
    "Check your connection and try again. If that is fine: the gateway may be down, or doesn’t know this page’s address.",
  ],
  unexpected: ["That didn’t work", "The gateway refused the request for a reason that trying again won’t change."],
};

// What is said.

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

function notice(kind, title, text) {
  const made = element("div", "", `notice ${kind}`);
  made.append(element("strong", title), element("p", text));
  return made;
}

function hush() {
  clearInterval(waiting);
  for (const id of ["alert", "status", "answer"]) at(id).replaceChildren();
  showPause("");
  for (const id of ["username", "password"]) mark(id, false);
}

function mark(id, isWrong) {
  at(id).setAttribute("aria-invalid", String(isWrong));
  // Who comes to a field with something wrong hears what it is.
  at(id).setAttribute("aria-describedby", isWrong ? "alert" : "");
}

function tell(title, text) {
  hush();
  at("status").replaceChildren(notice("good", title, text));
}

function complain(refusal) {
  if (!(refusal instanceof Refusal)) throw refusal;
  hush();
  const [title, text] = WORDS[refusal.kind];
  const said = notice("bad", title, text);
  said.dataset.kind = refusal.kind;
  if (refusal.status) said.append(element("small", `${refusal.status} ${refusal.error}`));
  at("alert").replaceChildren(said);
  return said;
}

// Pauses.

const clock = (span) => `${Math.floor(span / 60)}:${String(span % 60).padStart(2, "0")}`;
const inWords = (span) => (span === 1 ? "one second" : span < 120 ? `${span} seconds` : `${Math.ceil(span / 60)} minutes`);

/** Counts down to when another try is of use. It is seen each second, and heard at its start and its end only. */
function pause(said, span) {
  const end = seconds() + span;
  said.querySelector("p").after(element("p", `Please wait for ${inWords(span)}.`));
  const tick = () => {
    const rest = Math.ceil(end - seconds());
    if (rest > 0) return showPause(`You can try again in ${clock(rest)}`);
    tell("You can try again now", "The pause is over.");
  };
  tick();
  waiting = setInterval(tick, 250);
}

/** The button stays where it is for the keyboard, and says that it waits. */
function showPause(text) {
  at("countdown").hidden = !text;
  at("countdown").textContent = text;
  at("submit").setAttribute("aria-disabled", String(text !== ""));
}

const isPaused = () => at("submit").getAttribute("aria-disabled") === "true";

// Logging in.

form.addEventListener("submit", (event) => {
  event.preventDefault();
  if (isPaused()) return;
  const empty = ["username", "password"].map(at).find((input) => !input.value);
  if (empty) return askFor(empty);
  once(enter);
});

function askFor(input) {
  hush();
  mark(input.id, true);
  const what = input.id === "username" ? "your user name or phone number" : "your password";
  at("alert").replaceChildren(notice("bad", "Something is missing", `Please enter ${what}.`));
  input.focus();
}

async function enter() {
  try {
    keep(await logIn(at("username").value, at("password").value));
    form.reset();
    reveal(false);
    hush();
    show("session");
  } catch (refusal) {
    const said = complain(refusal);
    if (refusal.kind === "limited" || refusal.kind === "busy") pause(said, refusal.retryAfter);
    if (refusal.kind === "wrong" || refusal.kind === "identifier") markInput(refusal.kind);
  }
}

function markInput(kind) {
  const ids = kind === "wrong" ? ["password", "username"] : ["username"];
  for (const id of ids) mark(id, true);
  const input = at(ids[0]);
  input.focus();
  input.select();
}

at("reveal").addEventListener("click", () => reveal(at("password").type === "password"));

function reveal(isShown) {
  at("password").type = isShown ? "text" : "password";
  at("reveal").setAttribute("aria-pressed", String(isShown));
}

// Being logged in.

function keep(tokens) {
  const { access_token: accessToken, refresh_token: refreshToken, id_token: idToken, expires_in: lifetime } = tokens;
  const expiresAt = seconds() + lifetime;
  const renewAt = refreshToken ? expiresAt - Math.min(jittered(RENEW_BEFORE_S), lifetime / 2) : Infinity;
  session = { accessToken, refreshToken, lifetime, expiresAt, renewAt, retryIn: 1 };
  at("user").textContent = claimsOf(accessToken).sub;
  at("access-claims").replaceChildren(...rows(claimsOf(accessToken)));
  at("id-claims").replaceChildren(...rows(claimsOf(idToken)));
  showExpiry();
}

/** Up to half as much again: tabs that were opened together don't all ask at one moment. */
const jittered = (span) => span * (1 + Math.random() / 2);

function forget() {
  session = null;
  for (const id of ["user", "access-claims", "id-claims"]) at(id).replaceChildren();
}

at("call").addEventListener("click", () => once(call));
at("renew").addEventListener("click", () => once(renewByHand));
at("logout").addEventListener("click", async () => {
  await acting?.catch(() => {});
  if (session) once(leave);
});

async function call() {
  try {
    const { status, text } = await callService(session.accessToken);
    hush();
    const said = status === 200
      ? notice("good", `The service answered: ${status}`, "The access token opened it.")
      : notice("bad", `The service refused: ${status}`, "The access token is not good for it, or no longer. Refresh and try again.");
    said.append(element("pre", text));
    at("answer").replaceChildren(said);
  } catch (refusal) {
    complain(refusal);
  }
}

async function renewByHand() {
  hush();
  if (await renewed()) tell("You have new tokens", "The ones before are replaced; the old refresh token is of no use any more.");
}

async function renewed() {
  try {
    keep(await renew(session.refreshToken));
    at("alert").replaceChildren();
    return true;
  } catch (refusal) {
    tryAgainLater(refusal);
    if (!isSaid(refusal)) complain(refusal);
    if (["ended", "locked"].includes(refusal.kind)) end();
    return false;
  }
}

/** Soon at first, since the answer may have been lost and the token is good for ten seconds more; then less and less often. */
function tryAgainLater({ kind, retryAfter = 0 }) {
  session.retryIn = kind === "unexpected" ? Infinity : Math.min(2 * session.retryIn, MOST_S_BETWEEN_TRIES);
  session.renewAt = seconds() + Math.max(session.retryIn, retryAfter);
}

/** What stands there already isn't read out again. */
const isSaid = ({ kind }) => kind !== undefined && at("alert").firstElementChild?.dataset.kind === kind;

function end() {
  forget();
  show("login");
}

async function leave() {
  const { accessToken, refreshToken } = session;
  // Whatever comes of it: who logs out is logged out here.
  end();
  try {
    await revoke(refreshToken ?? accessToken);
    tell("You are logged out", "The session has ended here and at the gateway.");
  } catch (refusal) {
    complain(refusal).replaceWith(
      notice("bad", "You are logged out here only", "The gateway didn’t hear of it. The session there ends by itself when nobody uses it."),
    );
  }
}

// What is shown.

function show(id) {
  for (const section of ["login", "session"]) at(section).hidden = section !== id;
  document.body.classList.toggle("narrow", id === "login");
  document.title = id === "session" ? "Logged in – Sample application" : "Sample application";
  at(`${id}-title`).focus();
}

const LABELS = {
  sub: "User", aud: "For", azp: "Given to", scope: "Allows", iss: "Issued by", iat: "Issued", nbf: "Good from",
  exp: "Good until", jti: "Number",
};

/** Those that every token has come first, in the same order. */
function rows(claims) {
  const known = Object.keys(LABELS).filter((name) => name in claims);
  const others = Object.keys(claims).filter((name) => !(name in LABELS));
  return [...known, ...others].map((name) => row(name, claims[name]));
}

function row(name, value) {
  const made = element("div", "");
  const term = element("dt", LABELS[name] ?? name);
  if (LABELS[name]) term.append(" ", element("code", name));
  made.append(term, description(name, value));
  return made;
}

function description(name, value) {
  if (["iat", "nbf", "exp"].includes(name)) return time(value);
  const text = [value].flat().every((part) => typeof part === "string") ? [value].flat().join(", ") : JSON.stringify(value);
  return element("dd", text);
}

function time(value) {
  const date = new Date(value * 1000);
  const shown = element("time", date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" }));
  shown.dateTime = date.toISOString();
  const made = element("dd", "");
  made.append(shown);
  return made;
}

function showExpiry() {
  const rest = Math.max(0, Math.floor(session.expiresAt - seconds()));
  at("expiry").value = rest / session.lifetime;
  at("expiry-text").textContent = rest ? `The access token is good for ${clock(rest)}` : "The access token has expired";
}

setInterval(() => {
  if (!session) return;
  showExpiry();
  if (seconds() >= session.renewAt) once(renewed);
}, 1000);

/** One thing at a time: a refresh token is good once, and a double click is one click. */
async function once(act) {
  if (acting) return;
  document.body.setAttribute("aria-busy", "true");
  acting = act();
  try {
    await acting;
  } finally {
    acting = null;
    document.body.removeAttribute("aria-busy");
  }
}
