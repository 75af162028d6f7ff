//! The pages and their error messages in four languages.

use harness::{Browser, Embedded, Voter, client, totals_of};
use tempfile::TempDir;
use thirtyfour::By;

#[tokio::test(flavor = "multi_thread")]
async fn both_pages_speak_the_readers_language_and_a_choice_is_kept_by_both() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let mut voter = Voter::arrive(&urna.vote).await;
    voter.insist(&[&urna.vote], "a").await;
    totals_of(&urna.result, "one vote", |totals| totals["total"] == 1 && totals["waiting"] == 0).await;
    let browser = Browser::start().await;
    let languages = [
        ("en-GB", "en", "Press your choice.", "Nesquik leads by 1 vote.", "100.0%", "Live"),
        (
            "es-ES,es;q=0.9",
            "es",
            "Pulsa tu opción.",
            "Nesquik va por delante por 1 voto.",
            "100,0\u{a0}%",
            "En directo",
        ),
        (
            "gl,es;q=0.5",
            "gl",
            "Preme a túa opción.",
            "Nesquik vai por diante por 1 voto.",
            "100,0\u{a0}%",
            "En directo",
        ),
        (
            "ru",
            "ru",
            "Нажмите на свой вариант.",
            "Nesquik впереди на 1 голос.",
            "100,0\u{a0}%",
            "В прямом эфире",
        ),
    ];
    for (accepted, code, invitation, headline, share, live) in languages {
        browser.speak(accepted).await;
        browser.open(&urna.vote).await;
        browser.shows(invitation).await;
        assert_eq!(browser.run("return document.documentElement.lang").await, code);
        browser.open(&urna.result).await;
        let first_paint = "return document.querySelector('.share').textContent";
        assert_eq!(browser.run(first_paint).await, share, "{code}");
        browser.shows(live).await;
        browser.shows(headline).await;
    }
    browser.page.find(By::LinkText("Galego")).await.unwrap().click().await.unwrap();
    browser.shows("Nesquik vai por diante por 1 voto.").await;
    browser.open(&urna.vote).await;
    browser.shows("Preme a túa opción.").await;
    browser.close().await;
}

#[tokio::test]
async fn what_is_wrong_is_said_in_the_readers_language_too() {
    let data = TempDir::new().unwrap();
    let urna = Embedded::start(data.path()).await;
    let nothing = format!("{}/nothing", urna.vote);
    let cases = [
        (client().get(&nothing), "en", 404, "There is nothing at this address."),
        (client().get(&nothing), "es", 404, "No hay nada en esta dirección."),
        (client().get(format!("{nothing}?lang=ru")), "es", 404, "По этому адресу ничего нет."),
        (client().get(&nothing).header("cookie", "lang=gl"), "es", 404, "Non hai nada neste enderezo."),
        (client().get(&nothing), "de, *", 404, "There is nothing at this address."),
        (client().post(&urna.result), "ru", 405, "Этот адрес не принимает такие запросы."),
        (
            client().post(&urna.vote).body("vote=a"),
            "gl",
            415,
            "envíao como application/x-www-form-urlencoded",
        ),
        (
            client().post(&urna.vote).header("origin", "http://elsewhere.example"),
            "es",
            403,
            "lo envió la página de otro sitio",
        ),
        (client().get(format!("{}/ws", urna.result)), "ru", 426, "Сюда по WebSocket подключаются"),
        (client().get(format!("{}/ws/de", urna.result)), "en", 404, "There is nothing at this address."),
    ];
    for (request, language, status, sentence) in cases {
        let answer = request.header("accept-language", language).send().await.unwrap();
        assert_eq!(answer.status(), status, "{sentence}");
        let page = answer.text().await.unwrap();
        assert!(page.contains(sentence) && page.contains("/style.css"), "{page}\nshould say {sentence}");
    }
}
