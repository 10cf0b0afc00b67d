export function OrderPage() {
  return null; // STUB
}
