/** Names that look like others: what is shown is what is certified, with a warning (U5). */

// eslint-disable-next-line no-misleading-character-class
const HIDDEN = /[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u2069\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb]/gu;

/** Characters that are not seen, or turn the text around, written as what they are. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (character) => `‹U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}›`);
}

/** What kind of name somebody typed, as the API calls it. */
export function kindOf(name: string): 'dns' | 'ip' | 'email' | 'uri' {
  if (name.includes('://')) return 'uri';
  if (name.includes('@')) return 'email';
  const isV4 = /^\d+(\.\d+){3}$/.test(name) && name.split('.').every((part) => Number(part) < 256);
  return isV4 || (name.includes(':') && /^[0-9a-f:.]+$/i.test(name)) ? 'ip' : 'dns';
}

/** Why a name deserves a second look; `undefined` for the ordinary ones. */
export function suspicion(name: string): string | undefined {
  if (visible(name) !== name) return 'It holds characters that are not seen, or that turn the text around.';
  const labels = name.split('.').map((label) => (label.toLowerCase().startsWith('xn--') ? decode(label.slice(4)) : label));
  const shown = labels.join('.');
  if (shown !== name) {
    const mixed = labels.some(mixesScripts) ? ' It mixes alphabets, as names that imitate others do.' : '';
    return `Browsers may show it as “${visible(shown)}”.${mixed}`;
  }
  // eslint-disable-next-line no-control-regex
  return /[^\x00-\x7f]/.test(name) ? 'It holds letters beyond ASCII, some of which look like others.' : undefined;
}

const SCRIPTS = [/\p{Script=Latin}/u, /\p{Script=Cyrillic}/u, /\p{Script=Greek}/u, /\p{Script=Armenian}/u, /\p{Script=Cherokee}/u];

function mixesScripts(label: string): boolean {
  return SCRIPTS.filter((script) => script.test(label)).length > 1;
}

/** Punycode (RFC 3492 section 6.2); gives the input where it is not Punycode. */
function decode(input: string): string {
  const basic = input.lastIndexOf('-');
  const output = [...input.slice(0, Math.max(basic, 0))];
  let [n, i, bias] = [128, 0, 72];
  for (let at = basic + 1; at < input.length; ) {
    const before = i;
    for (let weight = 1, k = 36; ; k += 36) {
      const digit = digitOf(input.charCodeAt(at++));
      if (digit === undefined) return `xn--${input}`;
      i += digit * weight;
      const threshold = Math.min(Math.max(k - bias, 1), 26);
      if (digit < threshold) break;
      weight *= 36 - threshold;
    }
    const length = output.length + 1;
    bias = adapt(i - before, length, before === 0);
    n += Math.floor(i / length);
    i %= length;
    if (n > 0x10ffff) return `xn--${input}`;
    output.splice(i++, 0, String.fromCodePoint(n));
  }
  return output.join('');
}

function digitOf(code: number): number | undefined {
  if (code >= 48 && code <= 57) return code - 22;
  if (code >= 97 && code <= 122) return code - 97;
  if (code >= 65 && code <= 90) return code - 65;
  return undefined;
}

function adapt(delta: number, length: number, first: boolean): number {
  let rest = first ? Math.floor(delta / 700) : delta >> 1;
  rest += Math.floor(rest / length);
  let k = 0;
  for (; rest > 455; k += 36) rest = Math.floor(rest / 35);
  return k + Math.floor((36 * rest) / (rest + 38));
}
