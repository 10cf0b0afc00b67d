/** A sentence of the server: what stands between back quotes is code. */
export function Prose({ text }: { text: string }) {
  return text.split('`').map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part));
}
