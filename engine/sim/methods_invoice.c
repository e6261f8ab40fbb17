/* Invoices as bots send them. */
#include "sim/methods.h"

#include "sim/answer.h"
#include "sim/call.h"

#include <string.h>

#define AMOUNT_MAX INT64_C(999999999999)
#define TIPS_MAX 4

static bool is_amount(int64_t amount)
{
    return amount >= -AMOUNT_MAX && amount <= AMOUNT_MAX;
}

/* NULL, or what is wrong with one of the prices. */
static const char *price_error(const json_t *price)
{
    const json_t *label = json_object_get(price, "label");
    if (!json_is_object(price))
        return "LabeledPrice must be an Object";
    if (json_string_length(label) == 0)
        return "LabeledPrice label must be non-empty";
    return NULL;
}

/* Adds the prices to *total. False: refused. */
static bool add_up(struct call *c, const json_t *prices, int64_t *total)
{
    size_t i;
    json_t *price;
    if (!json_is_array(prices))
        return call_refuse_request(c, "expected an Array of labeled prices");
    if (json_array_size(prices) == 0)
        return call_refuse_request(c, "there must be at least one price");
    json_array_foreach(prices, i, price)
    {
        const char *error = price_error(price);
        int64_t amount = sim_int(price, "amount");
        if (error != NULL)
            return call_refuse(c, 400,
                               "Bad Request: can't parse labeled price: %s",
                               error) != NULL;
        if (!is_amount(amount))
            return call_refuse_request(
                c, "too big amount of the currency specified");
        *total += amount;
    }
    if (*total <= 0)
        return call_refuse_request(c, "total price must be positive");
    return is_amount(*total) ||
           call_refuse_request(c, "total price is too big");
}

static bool check_tips(struct call *c, const json_t *given)
{
    int64_t max = sim_int(given, "max_tip_amount");
    const json_t *tips = json_object_get(given, "suggested_tip_amounts");
    size_t i;
    json_t *tip;
    if (max < 0 || !is_amount(max))
        return call_refuse_request(
            c, "invalid max_tip_amount of the currency specified");
    json_array_foreach(tips, i, tip)
    {
        if (json_integer_value(tip) <= 0)
            return call_refuse_request(c,
                                       "suggested tip amount must be positive");
        if (json_integer_value(tip) > max)
            return call_refuse_request(
                c, "suggested tip amount can't be bigger than "
                   "max_tip_amount");
    }
    return json_array_size(tips) <= TIPS_MAX ||
           call_refuse_request(c,
                               "there can be at most 4 suggested tip amounts");
}

bool methods_invoice_given(struct call *c, json_t *given)
{
    int64_t total = 0;
    const json_t *prices = json_object_get(given, "prices");
    if (!add_up(c, prices, &total) || !check_tips(c, given))
        return false;
    if (strcmp(params_text(&c->params, "currency"), "XTR") == 0 &&
        json_array_size(prices) != 1)
        return call_refuse_request(c, "STARS_INVOICE_INVALID");
    sim_set(given, "total_amount", json_integer(total));
    if (json_object_get(given, "start_parameter") == NULL)
        sim_set(given, "start_parameter", json_string(""));
    return true;
}

json_t *method_create_invoice_link(struct call *c)
{
    json_t *given = answer_params(c);
    bool fine = methods_invoice_given(c, given);
    json_decref(given);
    return fine ? methods_link(c, "$") : NULL;
}
