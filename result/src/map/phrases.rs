//! The phrases of the map.

web::phrases! {
    pub(crate) struct Phrases:
    description:
        "What runs where, how votes flow, and what just happened.",
        "Qué funciona y dónde, cómo fluyen los votos y qué acaba de pasar.",
        "Que funciona e onde, como flúen os votos e que acaba de pasar.",
        "Что и где работает, как движутся голоса и что только что произошло.";
    replicas: "{n} replica|{n} replicas", "{n} réplica|{n} réplicas", "{n} réplica|{n} réplicas",
        "{n} реплика|{n} реплики|{n} реплик";
    a_second: "{votes}/s", "{votes} / s", "{votes} / s", "{votes}/с";
    waits: "{n} waits|{n} wait", "{n} espera|{n} esperan", "{n} agarda|{n} agardan", "{n} ждёт|{n} ждут|{n} ждут";
    counted: "{n} counted|{n} counted", "{n} contado|{n} contados", "{n} contado|{n} contados",
        "{n} подсчитан|{n} подсчитано|{n} подсчитано";
    dead: "{n} dead letter|{n} dead letters", "{n} voto apartado|{n} votos apartados",
        "{n} voto apartado|{n} votos apartados", "{n} отложен|{n} отложено|{n} отложено";
    stale:
        "{store} is away: this is what was last known, {time} ago.",
        "{store} no responde: esto es lo último que se supo, hace {time}.",
        "{store} non responde: isto é o último que se soubo, hai {time}.",
        "{store} недоступен: показано последнее известное, {time} назад.";
    no_node: "node not known", "nodo desconocido", "nodo descoñecido", "узел неизвестен";
    happened: "What happened", "Qué ha pasado", "Que pasou", "Что произошло";
    nothing: "Nothing yet.", "Nada todavía.", "Nada aínda.", "Пока ничего.";

    // The states of a replica that a hop has not.
    starting: "starting", "arrancando", "arrincando", "запускается";
    silent: "silent", "callada", "calada", "молчит";
    gone: "gone", "se fue", "foise", "ушла";

    // The table.
    service: "Service", "Servicio", "Servizo", "Сервис";
    name: "Name", "Nombre", "Nome", "Имя";
    node: "Node", "Nodo", "Nodo", "Узел";
    release: "Release", "Versión", "Versión", "Версия";
    state: "State", "Estado", "Estado", "Состояние";
    running: "Running for", "En marcha", "En marcha", "Работает";
    votes: "Votes a second", "Votos por segundo", "Votos por segundo", "Голосов в секунду";
    viewers: "Viewers", "Espectadores", "Espectadores", "Зрители";
}
