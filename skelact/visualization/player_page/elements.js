// Elements of the page.

const byId = (id) => document.getElementById(id);

function trouble(message) {
  byId("trouble").textContent = message;
  byId("trouble").hidden = false;
}

/** An element with a class, text and attributes. */
function element(name, className, text = "", attributes = {}) {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
