/* The second button: the same form as one JSON request. */
'use strict';

(function () {
    var form = document.getElementById('checkout');
    var button = document.getElementById('json');
    var box = document.getElementById('errors');

    /* "items[0][id]" -> data.items[0].id; files can't go into JSON */
    function collect() {
        var data = { items: [] };

        new FormData(form).forEach(function (value, name) {
            var m = /^items\[(\d+)\]\[(\w+)\]$/.exec(name);

            if (m) {
                data.items[m[1]] = data.items[m[1]] || {};
                data.items[m[1]][m[2]] = value;

            } else if (typeof value === 'string' && name !== 'csrf') {
                data[name] = value;
            }
        });

        return data;
    }

    function show(errors) {
        var list = box.querySelector('ul');

        list.textContent = '';
        Object.keys(errors).forEach(function (name) {
            var item = document.createElement('li');
            item.textContent = errors[name];
            list.appendChild(item);
        });
        box.hidden = false;
        box.scrollIntoView();
    }

    function send() {
        button.disabled = true;

        fetch('/api/checkout', {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify(collect())

        }).then(function (response) {
            return response.json();

        }).then(function (answer) {
            if (answer.order) {
                location.href = '/thanks?order='
                                + encodeURIComponent(answer.order.id);
                return;
            }

            button.disabled = false;
            show(answer.error);

        }).catch(function () {
            button.disabled = false;
            show({ body: 'Магазин не отвечает, попробуйте ещё раз' });
        });
    }

    button.hidden = false;
    button.addEventListener('click', function () {
        if (form.reportValidity()) {
            send();
        }
    });
}());
