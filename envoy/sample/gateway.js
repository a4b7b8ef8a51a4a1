// What this page asks of the gateway. What is refused is thrown as a Refusal, which says what a person needs to know.
import { authSourceId, clientId, gateway } from "./config.js";

const PATIENCE_MS = 30_000;
// The gateway takes a refresh token that was used for ten seconds more (`retry_grace`), since its answer may have been lost:
// who waits for longer before trying again is taken for a thief.
const PATIENCE_TO_RENEW_MS = 5_000;

/** An answer that is no success. `kind` says which, in the words of this page. */
export class Refusal extends Error {
  constructor(kind, { status = 0, error = "", retryAfter = 0 } = {}) {
    super(kind);
    Object.assign(this, { kind, status, error, retryAfter });
  }
}

export const logIn = (username, password) =>
  tokens({ grant_type: "password", auth_source_id: authSourceId, username, password, scope: "openid" });

export const renew = (refreshToken) =>
  tokens({ grant_type: "refresh_token", refresh_token: refreshToken }, PATIENCE_TO_RENEW_MS);

export async function revoke(token) {
  await post("/oauth2/revoke", { token });
}

/** The service's answer, whatever its status. */
export async function callService(accessToken) {
  return await ask("/api/", { headers: { authorization: `Bearer ${accessToken}` } });
}

/**
 * The claims of a token. Its signature is not checked: the token came from the token endpoint itself
 * (OpenID Connect Core §3.1.3.7), and what this page shows protects nothing.
 */
export function claimsOf(jwt) {
  const base64 = jwt.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes));
}

async function tokens(parameters, patience) {
  const found = json((await post("/oauth2/token", parameters, patience)).text);
  // A network that wants its own login first answers 200 too.
  if (!found.access_token) throw new Refusal("unreachable");
  return found;
}

async function post(path, parameters, patience) {
  const answer = await ask(path, { method: "POST", body: new URLSearchParams({ client_id: clientId, ...parameters }) }, patience);
  if (answer.status !== 200) throw refusal(answer);
  return answer;
}

async function ask(path, options, patience = PATIENCE_MS) {
  try {
    // There are no cookies, and none would be wanted.
    const always = { credentials: "omit", cache: "no-store", redirect: "error", signal: AbortSignal.timeout(patience) };
    const answer = await fetch(gateway + path, { ...options, ...always });
    return { status: answer.status, retryAfter: Number(answer.headers.get("retry-after")) || 1, text: await answer.text() };
  } catch {
    throw new Refusal("unreachable");
  }
}

function refusal({ status, retryAfter, text }) {
  const { error = "", error_description: description = "" } = json(text);
  return new Refusal(kindOf(status, error, description), { status, error, retryAfter });
}

function json(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function kindOf(status, error, description) {
  if (status === 429) return "limited";
  if (status === 503) return "busy";
  if (error !== "invalid_grant") return "unexpected";
  const kinds = {
    "Wrong username or password": "wrong",
    "Abnormal user status": "locked",
    "Unsupported username identifier": "identifier",
  };
  return kinds[description] ?? "ended";
}
