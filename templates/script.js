(function () {
  "use strict";
  // A page kept by the back button may show somebody who has signed out since.
  addEventListener("pageshow", function (event) {
    if (event.persisted) location.reload();
  });
  var field = document.getElementById("password");
  var button = document.getElementById("reveal");
  if (!field || !button) return;
  function show(open) {
    field.type = open ? "text" : "password";
    button.firstChild.textContent = open ? "Hide" : "Show";
  }
  button.hidden = false;
  button.addEventListener("click", function () {
    show(field.type === "password");
    field.focus();
  });
  // Browsers save what was typed into a password field, so it becomes one again.
  field.form.addEventListener("submit", function () { show(false); });
})();
