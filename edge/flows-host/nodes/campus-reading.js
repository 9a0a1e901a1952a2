// Node-RED scans for .js files; the node itself is TypeScript, and must not be served to the editor as a template.
export { default } from '../campus-reading.node.ts';
