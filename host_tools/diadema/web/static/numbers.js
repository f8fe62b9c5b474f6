/* Counts and percents as `words/formatting.py` writes them: Peru's, which are English's too. */

const WHOLE = new Intl.NumberFormat("es-PE");
const TENTHS = new Intl.NumberFormat("es-PE", { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** `6,821`. */
export function count(number) {
  return WHOLE.format(number);
}

/** `94.4 %`; `—` for what there is not. */
export function percent(value) {
  return value === null || value === undefined ? "—" : `${TENTHS.format(value)} %`;
}
