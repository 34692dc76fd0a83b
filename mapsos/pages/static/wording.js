// What scripts say, in the language of the page: by the text in English, which is used if it is not translated.
"use strict";

const wording = (() => {
  const texts = JSON.parse(document.currentScript.dataset.texts);
  const rules = new Intl.PluralRules(document.documentElement.lang.split("-")[0]);

  const fill = (text, values) => text.replace(/%\((\w+)\)s/g, (whole, name) => values[name]);

  // A text, with values in place of each %(name)s.
  function write(text, values = {}) {
    return fill(texts[text] ?? text, values);
  }

  // One of two texts as a count has it, which is in place of %(count)s; languages may have more than two.
  function count(number, one, other, values = {}) {
    const forms = texts[one] ?? { one, other };
    return fill(forms[rules.select(number)] ?? forms.other, { ...values, count: number });
  }

  return { write, count };
})();
