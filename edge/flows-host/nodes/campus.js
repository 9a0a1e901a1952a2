// Node-RED scans for .js files; the nodes themselves are TypeScript, and must not be served to the editor as a template.
export { default } from '../campus-nodes.ts';
