/* The hub's hour in the browser. Durations never depend on the viewer's own clock: each message
   brings the hub's time, and between messages the monotonic timer carries it on at its speed. */

export class HubClock {
  #skew = null;
  #speed = 1;
  #frozen = null;

  /** Take the hub's `now` (UTC ms) and `speed` (hub seconds a real second). */
  anchor(now, speed = 1) {
    const skew = now - performance.now() * speed;
    const jumped = this.#skew === null || Math.abs(skew - this.#skew) > 250;
    // at real speed the least delayed message knows best; a simulated clock is taken as it comes
    this.#skew = jumped || speed !== 1 || this.#speed !== 1 ? skew : Math.max(this.#skew, skew);
    this.#speed = speed;
  }

  /** Stand at `ms` (null: run on). What is not known to go on is not shown to go on. */
  freeze(ms) {
    this.#frozen = ms;
  }

  get known() {
    return this.#skew !== null;
  }

  get speed() {
    return this.#speed;
  }

  now() {
    return this.#frozen ?? this.running();
  }

  running() {
    return (this.#skew ?? 0) + performance.now() * this.#speed;
  }
}

/** `m:ss`, from an hour on `h:mm:ss`. */
export function duration(ms) {
  const all = Math.max(0, Math.floor(ms / 1000));
  const seconds = String(all % 60).padStart(2, "0");
  const minutes = Math.floor(all / 60);
  if (minutes < 60) return `${minutes}:${seconds}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${seconds}`;
}

/** A function from UTC ms to the site's day, `dd/mm`. */
export function dayOf(zone) {
  return inZone(zone, "es-PE", { day: "2-digit", month: "2-digit" });
}

/** A function from UTC ms to the wall clock of the site's zone, to the second or to the minute. */
export function hourOf(zone, language, withSeconds) {
  const options = { hour: "2-digit", minute: "2-digit", hourCycle: "h23" };
  if (withSeconds) options.second = "2-digit";
  return inZone(zone, language, options);
}

/** A function from UTC ms to the site's day and time, `dd/mm/yyyy hh:mm`. */
export function momentOf(zone) {
  const day = inZone(zone, "es-PE", { day: "2-digit", month: "2-digit", year: "numeric" });
  const hour = hourOf(zone, "es-PE", false);
  return (utc) => `${day(utc)} ${hour(utc)}`;
}

function inZone(zone, language, options) {
  try {
    return new Intl.DateTimeFormat(language, { ...options, timeZone: zone }).format;
  } catch {
    return new Intl.DateTimeFormat(language, options).format; // a zone this browser lacks
  }
}
