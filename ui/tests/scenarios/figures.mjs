// U3: tiles show what lists count, at all times; what is issued shows in an open overview within a second.
import { check, DESKTOP, Person, PHONE } from '../lib/browser.mjs';
import { configuration, enroll, inventory, issued } from '../lib/world.mjs';

async function figure(person, label) {
  const text = await person.page.locator(`[data-figure="${label}"]`).innerText();
  return Number(text.replaceAll(/\D/g, ''));
}

export async function scenario({ browser, url, api }) {
  await configuration(api);
  await inventory(api, 600);
  await issued(api, 12);
  const person = await Person.at(browser, url);
  await person.signIn('ada');
  await person.open('/');
  await person.page.getByText('Live', { exact: true }).first().waitFor();
  for (const [label, query] of [['Active', 'status=valid'], ['Ending soon', 'expires_within=30d'], ['Expired', 'status=expired'], ['Revoked', 'status=revoked'], ['Weak keys', 'weak_key=true'], ['Unowned', 'owned=false']]) {
    const { count } = await api.get(`/api/v1/certificates/count?${query}`);
    check((await figure(person, label)) === count, `${label}: ${await figure(person, label)} is shown, ${count} are counted`);
    await person.page.locator(`[data-figure="${label}"]`).click();
    await person.page.getByText(`${count.toLocaleString('en')} certificate`).first().waitFor();
    await person.page.goBack();
    await person.settle();
  }
  const { failed_requests } = await api.get('/api/v1/certificates/summary');
  check((await figure(person, 'Failing')) === failed_requests, `Failing: ${await figure(person, 'Failing')} is shown, ${failed_requests} are counted`);
  const before = await figure(person, 'Active');
  await enroll(api, 'default', ['just-now.example.org']);
  const shown = performance.now();
  await person.page.waitForFunction((old) => Number(document.querySelector('[data-figure="Active"]')?.textContent?.replace(/\D/g, '')) === old + 1, before, { polling: 50, timeout: 10_000 });
  await person.page.getByText('just-now.example.org').first().waitFor();
  console.log(`a new certificate showed after ${Math.round(performance.now() - shown)} ms`);
  for (const [screen, slower] of [[DESKTOP, 1], [PHONE, 1], [PHONE, 6]]) await measure(browser, url, screen, slower);
  person.content();
}

/** What the first look costs: octets over the wire, and how far the page moves while it loads. */
async function measure(browser, url, screen, slower) {
  const person = await Person.at(browser, url, { screen });
  await person.signIn('ada');
  const tools = await person.context.newCDPSession(person.page);
  await tools.send('Emulation.setCPUThrottlingRate', { rate: slower });
  await person.page.addInitScript(() => {
    window.shift = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shift += entry.value;
    }).observe({ type: 'layout-shift', buffered: true });
  });
  await person.open('/');
  const { octets, shift, paint } = await person.page.evaluate(() => ({
    octets: performance.getEntriesByType('resource').filter(({ name }) => name.includes('/assets/')).reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0),
    shift: window.shift,
    paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
  }));
  console.log(`${screen.width} wide, ${slower} times slower: first load ${Math.round(octets / 1000)} kB compressed, first paint ${Math.round(paint ?? 0)} ms, layout shift ${shift.toFixed(4)}`);
  check(octets < 300_000, `the overview's first load is ${octets} octets`);
  check(shift < 0.05, `the overview, ${screen.width} wide, moves by ${shift} while it loads`);
  person.content();
}
