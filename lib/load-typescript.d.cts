declare function loadTypeScript(file: string): unknown;
export = loadTypeScript;
