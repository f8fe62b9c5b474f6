/* Asks our own API as the person whose page this is: `await ask("POST", "/api/v1/…", body)`.
   Gives the answer's JSON, or throws an Error with `status`, `detail` (a sentence to show) and
   `errors` (its places). A Blob goes as it is. `once`: a write that is done once however often it
   is sent; of one that changes nothing the hub is to remember nothing. `keepalive`: also when the page
   is left meanwhile. */

const COOKIE = "diadema_csrf";
const BYTES = "application/octet-stream";
const unanswered = new Map(); // what was sent and not answered, and by which Idempotency-Key

function csrf() {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${COOKIE}=`));
  return found ? found.slice(COOKIE.length + 1) : "";
}

/** A write has a name until it is answered: whoever presses again after a failure asks for the
    same thing, and it is done once. (`randomUUID` is only there under HTTPS.) */
function named(write, sent) {
  const known = unanswered.get(write);
  if (known && known.sent === sent) return known.key;
  const random = crypto.getRandomValues(new Uint8Array(16));
  const key = Array.from(random, (one) => one.toString(16).padStart(2, "0")).join("");
  unanswered.set(write, { key, sent });
  return key;
}

export async function ask(method, path, body, once = true, keepalive = false) {
  const headers = { "accept-language": document.documentElement.lang || "es" };
  const file = body instanceof Blob;
  if (body !== undefined) headers["content-type"] = file ? BYTES : "application/json";
  const sent = body === undefined || file ? body : JSON.stringify(body);
  const write = `${method} ${path}`;
  if (method !== "GET") {
    headers["x-csrf-token"] = csrf();
    if (once) headers["idempotency-key"] = named(write, sent);
  }
  const answer = await fetch(path, { method, headers, body: sent, keepalive });
  if (answer.status < 500) unanswered.delete(write);
  if (answer.status === 401) leave();
  const text = await answer.text();
  let told = null;
  try {
    told = text ? JSON.parse(text) : null;
  } catch {
    told = { detail: text };
  }
  if (answer.ok) return told;
  const error = new Error(told?.detail ?? answer.statusText);
  throw Object.assign(error, {
    status: answer.status, detail: error.message, errors: told?.errors ?? [],
  });
}

/** The session is over: to the login, and from there back to this page. */
export function leave() {
  location.assign(`/login?next=${encodeURIComponent(location.pathname + location.search)}`);
}

/** After a socket has ended: whether the session is over, and then leave. */
export async function leaveIfOver() {
  try {
    const answer = await fetch("/api/v1/me");
    if (answer.status === 401) leave();
  } catch {
    /* no hub now: that is not the end of a session */
  }
}
