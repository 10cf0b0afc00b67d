export function Automation() {
  return null; // STUB
}
