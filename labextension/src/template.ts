/**
 * Sentences with named parameters. Values are put in after the translation, so that nothing in a student's value is read as a placeholder.
 */
export type TemplateParams = Readonly<Record<string, string>>;

const MISSING_PARAM = '—';

/** Whether each of these parameters has a text. */
export function hasParams(params: TemplateParams, ...names: readonly string[]): boolean {
  return names.every(name => Boolean(params[name]));
}

/** Fills `{name}` with the parameter of that name, or with a dash where there is none. */
export function fillTemplate(template: string, params: TemplateParams): string {
  return template.replace(/\{(\w+)\}/g, (_, name: string) => {
    // The template puts a full stop after the detail of an error, so the detail's own is removed.
    const value = name === 'detail' ? params[name]?.replace(/\.+$/, '') : params[name];
    return value || MISSING_PARAM;
  });
}
