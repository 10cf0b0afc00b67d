/** A sheet as an XLSX file (ECMA-376): every cell is a text or a number, so nothing is computed when it is opened. */

export type Cell = string | number;

const XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>';
const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';

const escape = (text: string): string =>
  text
    // eslint-disable-next-line no-control-regex
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\ufffd')
    .replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

const cell = (value: Cell): string =>
  typeof value === 'number' ? `<c><v>${value}</v></c>` : `<c t="inlineStr"><is><t xml:space="preserve">${escape(value)}</t></is></c>`;

/** A sheet that grows, with its first row frozen: what was added is handed to the browser in parts. */
export class Workbook {
  readonly #name: string;
  readonly #sheet = new Part();

  constructor(name: string) {
    this.#name = name;
    this.#sheet.add(`${XML}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" state="frozen"/></sheetView></sheetViews><sheetData>`);
  }

  add(rows: readonly (readonly Cell[])[]): void {
    this.#sheet.add(rows.map((row) => `<row>${row.map(cell).join('')}</row>`).join(''));
  }

  /** The file; nothing is added afterwards. */
  finish(): Blob {
    this.#sheet.add('</sheetData></worksheet>');
    return zip([
      ['[Content_Types].xml', Part.of(`${XML}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>`)],
      ['_rels/.rels', Part.of(`${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`)],
      ['xl/workbook.xml', Part.of(`${XML}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="${escape(this.#name)}" sheetId="1" r:id="r1"/></sheets></workbook>`)],
      ['xl/_rels/workbook.xml.rels', Part.of(`${XML}<Relationships xmlns="${PACKAGE}/relationships"><Relationship Id="r1" Type="${OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`)],
      ['xl/worksheets/sheet1.xml', this.#sheet],
    ]);
  }
}

/** A file of the archive, with what its header says of it. */
class Part {
  readonly blobs: Blob[] = [];
  length = 0;
  #crc = 0xffffffff;

  static of(text: string): Part {
    const part = new Part();
    part.add(text);
    return part;
  }

  add(text: string): void {
    const octets = new TextEncoder().encode(text);
    for (const octet of octets) this.#crc = (CRC[(this.#crc ^ octet) & 0xff] ?? 0) ^ (this.#crc >>> 8);
    this.length += octets.length;
    this.blobs.push(new Blob([octets]));
  }

  get crc(): number {
    return (this.#crc ^ 0xffffffff) >>> 0;
  }
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});

/** A ZIP archive whose files are stored as they are. */
function zip(files: [string, Part][]): Blob {
  const parts: BlobPart[] = [];
  const directory: Uint8Array<ArrayBuffer>[] = [];
  const encoder = new TextEncoder();
  let offset = 0;
  for (const [path, data] of files) {
    const name = encoder.encode(path);
    const common = [20, 0x0800, 0, 0, 0x21].flatMap(two).concat(four(data.crc), four(data.length), four(data.length), two(name.length), two(0));
    const local = Uint8Array.from([...four(0x04034b50), ...common, ...name]);
    directory.push(Uint8Array.from([...four(0x02014b50), ...two(20), ...common, ...two(0), ...two(0), ...two(0), ...four(0), ...four(offset), ...name]));
    parts.push(local, ...data.blobs);
    offset += local.length + data.length;
  }
  const size = directory.reduce((sum, entry) => sum + entry.length, 0);
  const end = Uint8Array.from([...four(0x06054b50), ...two(0), ...two(0), ...two(files.length), ...two(files.length), ...four(size), ...four(offset), ...two(0)]);
  return new Blob([...parts, ...directory, end], { type: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet' });
}

const two = (value: number): number[] => [value & 0xff, (value >>> 8) & 0xff];
const four = (value: number): number[] => [...two(value & 0xffff), ...two(value >>> 16)];
