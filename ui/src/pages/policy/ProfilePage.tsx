export function ProfilePage() {
  return null; // STUB
}
