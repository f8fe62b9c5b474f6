/* Asks our own API as the person whose page this is: `await ask("POST", "/api/v1/…", body)`.
   Gives the answer's JSON, or throws an Error with `status`, `detail` (a sentence to show) and
   `errors` (its places). A Blob goes as it is. */

const COOKIE = "diadema_csrf";
const BYTES = "application/octet-stream";

function csrf() {
  const found = document.cookie.split("; ").find((pair) => pair.startsWith(`${COOKIE}=`));
  return found ? found.slice(COOKIE.length + 1) : "";
}

export async function ask(method, path, body) {
  const headers = { "accept-language": document.documentElement.lang || "es" };
  if (method !== "GET") headers["x-csrf-token"] = csrf();
  const file = body instanceof Blob;
  if (body !== undefined) headers["content-type"] = file ? BYTES : "application/json";
  const answer = await fetch(path, {
    method,
    headers,
    body: body === undefined || file ? body : JSON.stringify(body),
  });
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
