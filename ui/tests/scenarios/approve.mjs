// A phone in one hand: what waits is approved in a few touches.
import { Person, PHONE } from '../lib/browser.mjs';

export async function scenario({ browser, url }) {
  const grace = await Person.at(browser, url, { screen: PHONE });
  await grace.signIn('grace');
  await grace.page.getByRole('navigation', { name: 'Quick' }).getByText('Approvals').tap();
  await grace.page.getByRole('link', { name: /phone\.example\.org/ }).tap();
  await grace.settle();
  await grace.fits('an approval on a phone');
  await grace.page.getByRole('button', { name: 'Approve' }).tap();
  await grace.page.getByText('Approved', { exact: true }).first().waitFor();
  grace.content();
}
