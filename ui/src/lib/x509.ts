/** What the picture of a chain needs of certificates (RFC 5280 section 4.1), read where they are shown. */

export interface ChainLink {
  subject: string;
  issuer: string;
  notAfter: string;
  isSelfIssued: boolean;
}

/** The certificates of a PEM file, the lowest first; none of a file that is not understood. */
export function readChain(pem: string): ChainLink[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.flatMap((block) => {
    const base64 = block.replaceAll(/-----[^-]+-----|\s/g, '');
    return readOne(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))) ?? [];
  });
}

interface Value {
  tag: number;
  content: Uint8Array;
}

/** The values side by side in DER; stops where it is none (X.690 section 8.1). */
function values(octets: Uint8Array): Value[] {
  const found: Value[] = [];
  for (let at = 0; at + 2 <= octets.length; ) {
    const tag = octets[at] ?? 0;
    let length = octets[at + 1] ?? 0;
    at += 2;
    if (length > 0x80) {
      const size = length & 0x7f;
      length = octets.slice(at, at + size).reduce((sum, octet) => sum * 256 + octet, 0);
      at += size;
    }
    if (at + length > octets.length) break;
    found.push({ tag, content: octets.subarray(at, at + length) });
    at += length;
  }
  return found;
}

const inside = (value: Value | undefined): Value[] => (value ? values(value.content) : []);

function readOne(der: Uint8Array): ChainLink | undefined {
  const fields = inside(inside(values(der)[0])[0]);
  // The version is left out in those of version 1.
  const [, , issuer, validity, subject] = fields[0]?.tag === 0xa0 ? fields.slice(1) : fields;
  const notAfter = instant(inside(validity)[1]);
  if (!issuer || !subject || !notAfter) return undefined;
  const [of, by] = [nameOf(subject), nameOf(issuer)];
  return { subject: of, issuer: by, notAfter, isSelfIssued: of === by };
}

/** UTCTime or GeneralizedTime (RFC 5280 section 4.1.2.5). */
function instant(value: Value | undefined): string | undefined {
  if (!value) return undefined;
  const text = new TextDecoder().decode(value.content);
  const digits = value.tag === 0x17 ? `${Number(text.slice(0, 2)) < 50 ? '20' : '19'}${text}` : text;
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(digits);
  return parts ? `${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}:${parts[6]}Z` : undefined;
}

/** Types of attributes by the hexadecimal digits of their identifiers, as RFC 4514 section 3 calls them. */
const TYPES: Record<string, string> = { '550403': 'CN', '550406': 'C', '550407': 'L', '550408': 'ST', '55040a': 'O', '55040b': 'OU' };

/** A name as RFC 4514 writes it, the most specific part first. */
function nameOf(value: Value): string {
  const parts = inside(value).map((rdn) =>
    inside(rdn)
      .map((attribute) => {
        const [type, text] = inside(attribute);
        const oid = Array.from(type?.content ?? [], (octet) => octet.toString(16).padStart(2, '0')).join('');
        const said = new TextDecoder(text?.tag === 0x1e ? 'utf-16be' : 'utf-8').decode(text?.content);
        return `${TYPES[oid] ?? 'other'}=${said.replaceAll(/[,+"\\<>;]/g, '\\$&')}`;
      })
      .join('+'),
  );
  return parts.reverse().join(',');
}
