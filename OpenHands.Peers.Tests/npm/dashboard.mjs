// A user's tour through the dashboard in a real browser. Reads what it needs as JSON on standard input, and prints for
// every step "ok" or what went wrong, as JSON.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import Redis from 'ioredis';
import { chromium } from 'playwright-core';

const order = JSON.parse(readFileSync(0, 'utf8'));
const origin = new URL(order.link).origin;
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const checkout = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
const patience = 60_000;
const pages = ['/', '/consolelogs', '/structuredlogs', '/traces', '/metrics', '/queues'];
const report = {};

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-headless-shell', '/usr/bin/google-chrome', '/usr/bin/chromium-browser'].find(existsSync);
if (!executablePath) {
  throw new Error('There is no Chromium: .ci/peers installs one.');
}

// Whoever runs the tests may be root, which Chromium's sandbox refuses; it opens nothing but our own pages.
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
const page = await context.newPage();
page.setDefaultTimeout(patience);
const trouble = [];
const outside = [];
page.on('pageerror', error => trouble.push(error.message));
page.on('request', request => {
  if (!request.url().startsWith(origin) && !request.url().startsWith('data:')) {
    outside.push(request.url());
  }
});
const redis = new Redis({ host: '127.0.0.1', port: order.redisPort, password: order.redisPassword });

function expect(condition, message) {
  if (!condition) {
    throw new Error(message);
  }
}

async function visit(path) {
  await page.goto(origin + path);
  await page.waitForSelector('h1');
}

async function shoot(name) {
  if (order.pictures) {
    // Where somebody keeps the checkout is nobody's business.
    await page.evaluate(path => {
      for (const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT); texts.nextNode();) {
        texts.currentNode.data = texts.currentNode.data.replaceAll(path, '~/openhands');
      }
    }, checkout);
    await page.screenshot({ path: `${order.pictures}/dashboard-${name}.png` });
  }
}

async function step(name, walk) {
  try {
    await walk();
    report[name] = 'ok';
  } catch (error) {
    report[name] = `${error.message}\n${await page.locator('body').innerText().catch(() => '')}`.slice(0, 4000);
  }
}

const row = name => page.getByRole('row').filter({ has: page.getByRole('rowheader').getByRole('link', { name, exact: true }) });

await step('the link opens the dashboard, once', async () => {
  await page.goto(order.link);
  await page.getByRole('heading', { name: 'Resources' }).waitFor();
  const stranger = await browser.newContext();
  const answer = await stranger.request.get(order.link);
  expect(answer.status() === 401, `the link answers ${answer.status()} a second time`);
  await stranger.close();
});

await step('every resource is healthy', async () => {
  for (const [name, state] of [['api', 'Running (Healthy)'], ['migrations', 'Finished'], ['openhands', 'Running (Healthy)'], ['postgres', 'Running (Healthy)'], ['redis', 'Running (Healthy)'], ['worker', 'Running (Healthy)']]) {
    await row(name).getByText(state).waitFor();
  }
  await shoot('resources');
});

await step('secrets are covered until somebody asks', async () => {
  await row('api').getByRole('link', { name: 'api', exact: true }).click();
  const details = page.getByRole('complementary');
  await details.getByRole('heading', { name: 'Environment' }).waitFor();
  expect(!(await details.innerText()).includes(order.redisPassword), 'a password shows');
  await details.getByRole('button', { name: 'Reveal ConnectionStrings__redis' }).click();
  await details.getByText(order.redisPassword).waitFor();
  await details.getByRole('button', { name: 'Cover ConnectionStrings__redis' }).click();
  await page.evaluate(() => scrollTo(0, 0));
  await shoot('details');
});

await step('a request is followed to its trace across API, PostgreSQL and Redis', async () => {
  const session = await (await fetch(`${order.api}/api/v1/sessions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"state":{"step":1}}' })).json();
  expect((await fetch(`${order.api}/api/v1/sessions/${session.id}`)).ok, 'the session cannot be read');
  await visit('/');
  await row('api').getByRole('link', { name: 'api', exact: true }).click();
  await page.getByRole('complementary').getByRole('link', { name: 'Traces' }).click();
  await page.getByRole('heading', { name: 'Traces' }).waitFor();
  await page.getByLabel('Search').fill('/api/v1/sessions');
  const trace = page.getByRole('row').filter({ hasText: 'postgresql' }).filter({ hasText: 'redis' }).first();
  await trace.waitFor();
  await shoot('traces');
  await trace.getByRole('link').first().click();
  await page.getByRole('region', { name: 'Waterfall' }).waitFor();
  for (const party of ['api', 'postgresql', 'redis']) {
    await page.locator(`.waterfall .party[data-party=${party}]`).first().waitFor();
  }
  await page.getByRole('rowheader').filter({ hasText: 'postgresql' }).first().getByRole('link').click();
  await page.getByText('db.system').first().waitFor();
  await shoot('trace');
});

await step('a resource is stopped and started again', async () => {
  await visit('/');
  await page.getByRole('button', { name: 'Stop worker', exact: true }).click();
  await row('worker').getByText('Exited').waitFor();
  await page.getByRole('button', { name: 'Start worker', exact: true }).click();
  await row('worker').getByText('Running (Healthy)').waitFor();
});

await step('a log line written a moment ago is read in the console', async () => {
  await row('worker').getByRole('link', { name: 'worker', exact: true }).click();
  await page.getByRole('complementary').getByRole('link', { name: 'Console' }).click();
  await page.getByRole('log').waitFor();
  const id = `moment-${order.mark}`;
  await redis.rpush('queue:background_tasks', JSON.stringify({ id, type: 'noop', payload: {} }));
  await page.getByRole('log').getByText('Task noop').last().waitFor();
  await shoot('console');
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Download' }).click()]);
  expect(readFileSync(await download.path(), 'utf8').includes('Task noop'), 'the file lacks the line');
});

await step('a structured log line leads to its trace and back', async () => {
  await visit('/structuredlogs?Resource=worker');
  await page.getByLabel('Search').fill('noop');
  const line = page.getByRole('row').filter({ hasText: 'Task noop' }).first();
  await line.waitFor();
  await page.waitForURL(/Search=noop/);
  await shoot('structured-logs');
  await line.getByRole('link', { name: /^Trace / }).click();
  await page.getByRole('region', { name: 'Waterfall' }).waitFor();
  await page.getByRole('link', { name: /log lines?$/ }).click();
  await page.getByRole('row').filter({ hasText: 'Task noop' }).first().waitFor();
});

await step('metrics have values and charts', async () => {
  await visit('/metrics?Resource=api');
  const request = page.getByRole('row').filter({ hasText: 'http.server.request.duration' });
  await request.waitFor();
  await request.getByRole('img').waitFor();
  await shoot('metrics');
});

await step('a queue shows what its workers did', async () => {
  await visit('/queues');
  await page.getByRole('row').filter({ hasText: 'background_tasks' }).first().waitFor();
});

const task = id => page.locator(`tr[data-task="${id}"]`);

await step('a dead letter is inspected, replayed and done', async () => {
  await visit('/queues');
  await page.getByRole('link', { name: '1 dead letter of parcels' }).click();
  await page.waitForURL(/State=dead/);
  await task(order.deadLetter).getByText('The courier did not answer.').waitFor();
  expect(!(await page.locator('body').innerText()).includes('of the tour'), 'a payload shows before anybody asked for it');
  await task(order.deadLetter).getByRole('link').click();
  await page.getByRole('complementary').getByText('of the tour').waitFor();
  await page.evaluate(() => scrollTo(0, 0));
  await shoot('queues');
  await task(order.deadLetter).getByRole('button', { name: /^Replay noop/ }).click();
  await task(order.deadLetter).waitFor({ state: 'detached' });
  await page.getByLabel('State').selectOption({ label: 'done' });
  await task(order.deadLetter).getByText('done').waitFor();
});

await step('a task is cancelled and replayed', async () => {
  await visit('/queues?Queue=parcels');
  await task(order.scheduled).getByText('scheduled').waitFor();
  await task(order.scheduled).getByRole('button', { name: /^Cancel noop/ }).click();
  await task(order.scheduled).getByText('It was called off before it ran.').waitFor();
  await task(order.scheduled).getByRole('button', { name: /^Replay noop/ }).click();
  await task(order.scheduled).getByText('done').waitFor();
});

await step('a value that is no task is a dead letter with its reason, and still one when it is replayed', async () => {
  await redis.rpush('queue:parcels', `rubbish ${order.mark}`);
  await visit('/queues?Queue=parcels&State=dead');
  const value = page.getByRole('row').filter({ hasText: 'The value is not JSON.' });
  await value.waitFor();
  expect(!(await page.locator('body').innerText()).includes(order.mark), 'a value shows before anybody asked for it');
  await value.getByRole('link').click();
  await page.getByRole('complementary').getByText(`rubbish ${order.mark}`).waitFor();
  await value.getByRole('button', { name: /^Replay no task/ }).click();
  await page.getByRole('alert').getByText('It is still no task: The value is not JSON.').waitFor();
});

for (const scheme of ['light', 'dark']) {
  await step(`labels, roles and contrast hold in ${scheme}`, async () => {
    await page.emulateMedia({ colorScheme: scheme });
    const faults = [];
    for (const path of [...pages, '/?Details=' + (await name('api')), '/consolelogs/' + (await name('redis')), '/structuredlogs?Search=noop', '/queues?Queue=parcels&Inspect=' + order.deadLetter]) {
      await visit(path);
      await page.waitForTimeout(500);
      await page.evaluate(axe);
      const found = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
      faults.push(...found.violations.map(fault => `${path}: ${fault.id}: ${fault.nodes.slice(0, 2).map(node => `${node.html} ${node.failureSummary}`).join(' | ')}`));
    }
    expect(faults.length === 0, faults.join('\n'));
    if (scheme === 'dark') {
      await visit('/');
      await row('api').waitFor();
      await shoot('resources-dark');
    }
  });
}
await page.emulateMedia({ colorScheme: 'light' });

await step('the keyboard reaches everything and shows where it is', async () => {
  await visit('/');
  await row('api').waitFor();
  // A page begins with the focus on its heading; the way back leads over the pages to the skip link.
  await page.waitForFunction(() => document.activeElement.tagName === 'H1');
  for (let i = 0; i < pages.length + 1; i++) {
    await page.keyboard.press('Shift+Tab');
  }
  expect(await page.evaluate(() => document.activeElement.textContent) === 'Skip to content', 'the skip link is not before the pages');
  expect((await page.getByText('Skip to content').boundingBox()).width > 40, 'the skip link does not show');
  const stops = new Set();
  for (let i = 0; i < 40; i++) {
    await page.keyboard.press('Tab');
    const [text, outline] = await page.evaluate(() => [document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent.trim(), getComputedStyle(document.activeElement).outlineStyle]);
    stops.add(text);
    expect(outline !== 'none' || text === '' || (await page.evaluate(() => document.activeElement === document.body)), `nothing shows that '${text}' has the focus`);
  }
  for (const stop of ['Traces', 'api', 'Stop worker']) {
    expect(stops.has(stop), `the keyboard does not reach '${stop}', only ${[...stops].join(', ')}`);
  }
});

await step('every page fits a phone', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  for (const path of [...pages, '/?Details=' + (await name('api')), '/queues?Queue=parcels&Inspect=' + order.deadLetter]) {
    await visit(path);
    await page.waitForTimeout(300);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(over <= 0, `${path} is ${over} pixels too wide`);
  }
  await visit('/');
  await row('api').waitFor();
  await shoot('phone');
});

await step('nothing came from elsewhere and nothing failed', async () => {
  expect(outside.length === 0, `asked ${outside.join(', ')}`);
  expect(trouble.length === 0, trouble.join('\n'));
});

async function name(resource) {
  return order.names[resource];
}

await redis.quit();
await browser.close();
console.log(JSON.stringify(report));
