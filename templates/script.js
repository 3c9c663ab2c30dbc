(function () {
  "use strict";
  // A page kept by the back button may show somebody who has signed out since.
  addEventListener("pageshow", function (event) {
    if (event.persisted) location.reload();
  });
  document.querySelectorAll(".reveal").forEach(function (button) {
    var field = document.getElementById(button.getAttribute("aria-controls"));
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
  });
})();
