/* Changes a status and shows the list again. */
'use strict';

document.querySelectorAll('form[action="/admin/status"]').forEach(
    function (form) {
        form.addEventListener('submit', function (event) {
            event.preventDefault();

            fetch(form.action, {
                method: 'POST',
                body: new URLSearchParams(new FormData(form))

            }).then(function (response) {
                return response.json();

            }).then(function (answer) {
                if (answer.ok) {
                    location.reload();

                } else {
                    window.alert(answer.error);
                }

            }).catch(function () {
                window.alert('Магазин не отвечает');
            });
        });
    });
