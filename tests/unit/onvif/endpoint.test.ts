import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, test } from 'vitest';
import { pathOf } from '#edge/drivers/onvif/library.ts';
import { parseSoap, referenceParameters, text } from '#edge/drivers/onvif/soap.ts';
import { eventually, startScene, streaming } from './bench.ts';

const reply = (body: string, status = 200) => ({ status, type: 'text/xml', body: Buffer.from(body, 'latin1') });
const soap = (body: string) =>
  `<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"><e:Body>${body}</e:Body></e:Envelope>`;

describe('where an onvif camera is spoken to', () => {
  test('is decided by the site file: an address that the camera names is never dialled', async () => {
    const dialled: string[] = [];
    const trap = createTcpServer((socket) => {
      dialled.push('trap');
      socket.destroy();
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    const { port } = trap.address() as AddressInfo;
    {
      await using scene = await startScene({ camera: { claims: `http://127.0.0.1:${port}` } });
      await streaming(scene);
      scene.camera.motion(true);
      await eventually(() => scene.heard.count('snapshot')).toBe(1);
    }
    trap.close();
    expect(dialled).toEqual([]);
  });

  test('may be an IPv6 address', async () => {
    await using scene = await startScene({ camera: { host: '::1' }, config: { host: '[::1]' } });
    await streaming(scene);
    scene.camera.person();
    await eventually(() => scene.heard.count('snapshot')).toBeGreaterThan(0);
    await scene.camera.fault('reboot');
    await eventually(() => scene.heard.last()).toMatch(/offline: camera \[::1\]:\d+ refuses the connection/);
  });

  test('keeps path and query of what it names, and nothing else', () => {
    expect(pathOf('http://10.0.0.9:8000/onvif/snap?x=1&y=2', '/f')).toBe('/onvif/snap?x=1&y=2');
    expect(pathOf('/onvif/sub/3', '/f')).toBe('/onvif/sub/3');
    expect(pathOf('http://[bad', '/f')).toBe('/f');
    expect(pathOf('http://user:pw@evil.example', '/f')).toBe('/f');
  });
});

describe('what an onvif camera answers', () => {
  test.each([
    [soap('<a/>').slice(0, 40), 200, /broken XML/],
    ['<!DOCTYPE x [<!ENTITY a "b">]><e:Envelope/>', 200, /document type definition: refused/],
    ['<?xml version="1.0"?><other/>', 200, /XML that is not SOAP instead of ONVIF/],
    ['{"error":1}', 200, /answers text\/xml instead of ONVIF/],
    ['', 502, /answers HTTP 502/],
    [soap(`${'<a>'.repeat(150)}${'</a>'.repeat(150)}`), 200, /broken XML/],
  ])('is refused with its reason: %s', (body, status, why) => {
    expect(() => parseSoap(reply(body, status), 'c')).toThrow(why);
  });

  test('is read in spite of stray ampersands, control characters and wrong UTF-8', () => {
    const { body } = parseSoap(reply(soap('<n>A & B \x01 \xff &amp; C</n>')), 'c');
    expect(text(body, 'n')).toBe('A & B   \ufffd & C');
  });

  test('keeps reference parameters with the namespaces they need', () => {
    const raw =
      '<s:Envelope xmlns:s="urn:s" xmlns:w="urn:w" xmlns:q="urn:q" xmlns="urn:d"><s:Body><w:EndpointReference>' +
      '<w:ReferenceParameters><q:Id k="1">7 &lt; 8</q:Id><Plain>x</Plain></w:ReferenceParameters></w:EndpointReference></s:Body></s:Envelope>';
    const echoed = referenceParameters(raw);
    expect(echoed).toMatch(/<q:Id [^>]*xmlns:q="urn:q"[^>]*k="1"[^>]*>7 &lt; 8<\/q:Id>/);
    expect(echoed).toMatch(/<Plain [^>]*xmlns="urn:d"[^>]*>x<\/Plain>/);
    expect(referenceParameters('<a><b/></a>')).toBe('');
  });
});
